// Downloads URLs side by side: fetch [OPTION]... URL...
//
// Each is written to a file of a temporary name, which gets its own when it is complete: nothing half-written is ever
// found under it, whatever goes wrong, and what was there before stays until then. On a terminal, bars show what is
// under way; else there is a line for each URL. The status is 0 if all were fetched, 1 if not, 2 if it was called
// wrongly.

#include "fetch_progress.hpp"

#include <rt/hub/group.hpp>
#include <rt/io/file.hpp>
#include <rt/io/http_client.hpp>
#include <rt/io/signal_events.hpp>
#include <rt/kernel/process.hpp>

#include <deque>

using namespace std::chrono_literals;
using fetch::Download, rt::Errc, rt::Result;

namespace {

constexpr std::string_view usage = R"(Downloads URLs side by side.

Usage: fetch [OPTION]... URL...

  -o FILE             write to this file; - is standard output (one URL only)
  --directory DIR     write below this directory, under the last part of each URL's path (.)
  --jobs N            how many at the same time, from 1 to 1000 (8)
  --timeout SECONDS   give up when a server has sent nothing for that long (30)
  --quiet             say nothing but errors
  --help              show this text)";

struct Settings {
  std::string_view output = {};
  std::string_view directory = ".";
  unsigned jobs = 8, timeout = 30;
  bool quiet = false;
};

int complain(std::string_view argument, std::string_view what) {
  rt::eprintln("fetch: '{}' {}; see --help", argument, what);
  return 2;
}

/// 0: it is no number from 1 to the limit.
unsigned parse_number(std::string_view text, unsigned limit) {
  unsigned number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > limit) return 0;
  }
  return number;
}

/// The last part of the path, as a name that is safe in a directory.
std::string name_from(const rt::Url& url) {
  const std::string_view path = url.path();
  std::string name = rt::percent_decode(path.substr(path.rfind('/') + 1)).value_or(std::string());
  for (char& c : name)
    if (c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '_';
  if (name == "." || name == ".." || name.empty()) name = "index.html";
  return name;
}

/// A file that has its name only when it is complete.
class Target {
 public:
  Target(std::string path, std::size_t number) : path_(std::move(path)) {
    const std::size_t name = path_.rfind('/') + 1; // 0: there is no directory
    char suffix[64];
    const std::size_t size = rt::format_to(suffix, ".{}-{}.part", rt::kernel::process_id(), number);
    part_ = path_.substr(0, name) + "." + path_.substr(name, 200) + std::string(suffix, size);
  }
  ~Target() {
    if (file_.is_open()) (void)rt::kernel::remove_file(part_.c_str());
  }
  Target(const Target&) = delete;

  Result<void> open() {
    auto opened = rt::File::open(part_, rt::Open::write_new);
    if (!opened) return opened.error();
    file_ = std::move(*opened);
    return {};
  }
  Result<void> write(std::string_view piece) { return file_.write(std::span(piece.data(), piece.size())); }
  Result<void> complete() {
    if (const auto renamed = rt::kernel::rename_file(part_.c_str(), path_.c_str()); !renamed) return renamed;
    file_.close();
    return {};
  }

 private:
  std::string path_, part_;
  rt::File file_;
};

class Fetcher {
 public:
  Fetcher(const Settings& settings, std::deque<Download>& downloads, fetch::Progress& progress)
      : settings_(settings), downloads_(downloads), progress_(progress) {}

  /// Whether all were fetched.
  bool run() {
    std::vector<rt::Fiber<void>> fibers;
    const std::size_t count = std::min<std::size_t>(settings_.jobs, downloads_.size());
    for (std::size_t i = 0; i < count; ++i)
      fibers.push_back(rt::spawn([this] {
        while (next_ < downloads_.size() && !ended_) fetch(downloads_[next_++]);
      }));
    if (!rt::joinall(fibers)) { // a signal has come
      ended_ = true;
      for (auto& fiber : fibers) fiber.cancel();
      for (auto& fiber : fibers) fiber.join();
    }
    return fetched_ == downloads_.size();
  }

 private:
  void fetch(Download& download) {
    download.state = Download::State::active;
    download.begin = rt::Clock::now();
    const Result<void> done = transfer(download);
    download.time = rt::Clock::now() - download.begin;
    download.state = Download::State::ended;
    if (done) ++fetched_;
    if (done)
      progress_.say_done(download);
    else
      progress_.say_failed(download, done.error());
  }

  Result<void> transfer(Download& download) {
    auto response = client_.get(
        download.url,
        {.stream = true, .limits = {.body = UINT64_MAX}, .stall_timeout = std::chrono::seconds(settings_.timeout)});
    if (!response) return response.error();
    if (response->status() != 200) {
      download.status = response->status();
      return Errc::no_such_file_or_directory; // said in the words of the status
    }
    download.size = response->content_length();
    if (download.path == "-") return copy(download, *response, [](std::string_view piece) { return print(piece); });
    Target target(download.path, static_cast<std::size_t>(&download - &downloads_.front()));
    if (const auto opened = target.open(); !opened) return download.on_disk = true, opened;
    const auto copied = copy(download, *response, [&](std::string_view piece) { return target.write(piece); });
    return copied ? target.complete() : copied;
  }

  static Result<void> print(std::string_view piece) {
    rt::Fd out(1);
    const Result<void> written = out.write(std::span(piece.data(), piece.size()));
    (void)out.release();
    return written;
  }

  template <class Write> static Result<void> copy(Download& download, rt::http::Response& response, Write write) {
    std::vector<char> buffer(64 * 1024);
    for (;;) {
      const auto got = response.read(buffer);
      if (!got) return got.error();
      if (*got == 0) return {};
      if (const auto written = write(std::string_view(buffer.data(), *got)); !written)
        return download.on_disk = true, written;
      download.received += *got;
    }
  }

  const Settings& settings_;
  std::deque<Download>& downloads_;
  fetch::Progress& progress_;
  rt::http::Client client_;
  std::size_t next_ = 0, fetched_ = 0;
  bool ended_ = false;
};

/// What is to be downloaded where, or a complaint.
Result<void> plan(const Settings& settings, const std::vector<std::string_view>& urls,
                  std::deque<Download>& downloads) {
  for (const std::string_view text : urls) {
    const auto url = rt::Url::parse(text);
    if (!url) return complain(text, "is no URL of http"), Errc::invalid_argument;
    std::string path(settings.output);
    if (path.empty()) path = std::string(settings.directory) + "/" + name_from(*url);
    for (const Download& other : downloads)
      if (other.path == path) {
        rt::eprintln("fetch: '{}' and '{}' would both be written to '{}'; see --help", other.url, text, path);
        return Errc::invalid_argument;
      }
    downloads.push_back({.url = std::string(text), .path = std::move(path)});
  }
  return {};
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  std::vector<std::string_view> urls;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help") {
      rt::println("{}", usage);
      return 0;
    }
    if (argument == "--quiet") {
      settings.quiet = true;
    } else if (argument == "-o" || argument == "--directory" || argument == "--jobs" || argument == "--timeout") {
      if (++i == argc || !*argv[i]) return complain(argument, "needs a value");
      if (argument == "-o") settings.output = argv[i];
      if (argument == "--directory") settings.directory = argv[i];
      if (argument == "--jobs" && (settings.jobs = parse_number(argv[i], 1000)) == 0)
        return complain(argv[i], "is not a number from 1 to 1000");
      if (argument == "--timeout" && (settings.timeout = parse_number(argv[i], 86'400)) == 0)
        return complain(argv[i], "is not a number of seconds");
    } else if (argument.starts_with('-')) {
      return complain(argument, "is not an option");
    } else {
      urls.push_back(argument);
    }
  }
  if (urls.empty()) {
    rt::eprintln("fetch: no URL is given; see --help");
    return 2;
  }
  if (!settings.output.empty() && urls.size() > 1) return complain(settings.output, "is one file for several URLs");

  std::deque<Download> downloads;
  if (!plan(settings, urls, downloads)) return 2;
  fetch::Progress progress(downloads, settings.quiet || settings.output == "-");
  bool all = false;
  const auto signal = rt::run_until_signal([&] {
    auto painter = rt::spawn([&] { progress.paint(); });
    all = Fetcher(settings, downloads, progress).run();
    painter.cancel();
    painter.join();
  });
  if (!signal) {
    rt::eprintln("fetch: {}", signal.error());
    return 1;
  }
  if (*signal) return 128 + static_cast<int>(**signal);
  return all ? 0 : 1;
}
