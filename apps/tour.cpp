// Runs all apps of a directory: first those that take no options, then the numbered ones in order. Each is introduced
// by a line on what it shows; a table of results, sizes and times is at the end. The status is 1 if any app failed.
//
// This is itself a demonstration of processes; where init runs it, nothing else is needed: no shell, no libc, no /proc.

#include "options.hpp"

#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/terminal.hpp>

#include <algorithm>
#include <linux/fcntl.h>
#include <linux/wait.h>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using rt::kernel::Signal;
using rt::kernel::SignalSet;

namespace {

struct App {
  std::string name;
  std::string_view about; // empty: it tells itself, in the first line of its --help
};

constexpr struct {
  std::string_view name, about;
} without_options[] = {
    {"hello", "The smallest program: one line on standard output."},
    {"hello_thread", "The smallest program with a thread: start, join, print."},
};

bool is_program(const std::string& path) {
  const auto status = rt::kernel::path_status(path.c_str());
  return status && status->is_file() && status->is_executable();
}

rt::Result<std::vector<App>> find_apps(const std::string& directory) {
  const auto descriptor = rt::kernel::open_file(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!descriptor) return descriptor.error();
  std::vector<std::string> numbered;
  rt::kernel::DirectoryReader reader(*descriptor);
  for (;;) {
    const auto name = reader.next();
    if (!name) return name.error();
    if (!*name) break;
    const std::string_view text = *name;
    const bool has_number = text[0] >= '0' && text[0] <= '9';
    if (has_number && text.find('.') == text.npos) numbered.emplace_back(text);
  }
  (void)rt::kernel::close_file(*descriptor);
  std::sort(numbered.begin(), numbered.end());

  std::vector<App> apps;
  for (const auto& [name, about] : without_options) apps.push_back({std::string(name), about});
  for (const auto& name : numbered) apps.push_back({name, {}});
  std::erase_if(apps, [&](const App& app) { return !is_program(directory + "/" + app.name); });
  return apps;
}

struct Ending {
  rt::kernel::ChildStatus status;
  bool in_time = true;

  bool good() const { return in_time && status.bits == 0; }
};

class Tour {
 public:
  Tour(std::string directory, const char* time_scale, char** environment)
      : directory_(std::move(directory)), time_scale_(time_scale), environment_(environment),
        before_(rt::kernel::block_signals(SignalSet(Signal::sigchld))) {
    if (!rt::kernel::is_terminal(1) || is_set("NO_COLOR=")) return;
    bold_ = "\033[1m";
    green_ = "\033[32m";
    red_ = "\033[31m";
    plain_ = "\033[0m";
  }

  void run(const App& app) {
    rt::println("{}{}{}: {}", bold_, app.name, plain_, app.about.empty() ? about(app) : std::string(app.about));
    const auto begin = rt::Clock::now();
    const bool options = app.about.empty();
    const Ending ending = run_program(app, options ? "--time-scale" : nullptr, options ? time_scale_ : nullptr, 1, 60s);
    add_row(app, ending, rt::Clock::now() - begin);
    rt::println();
    if (!ending.good()) ++failed_;
  }

  bool finish() const {
    rt::print("{}{:<28} {:<10} {:>14} {:>10}{}\n{}", bold_, "app", "result", "size", "time", plain_, table_);
    return failed_ == 0;
  }

 private:
  bool is_set(std::string_view variable) const { // to anything but nothing
    for (char** entry = environment_; *entry; ++entry)
      if (const std::string_view text = *entry; text.starts_with(variable) && text.size() > variable.size())
        return true;
    return false;
  }

  std::string about(const App& app) {
    const auto pipe = rt::kernel::make_pipe(O_CLOEXEC).value();
    run_program(app, "--help", nullptr, pipe.write, 10s);
    (void)rt::kernel::close_file(pipe.write);
    char text[512]; // far less than a pipe holds: the app has written its help when it is read
    const auto size = rt::kernel::read_file(pipe.read, text);
    (void)rt::kernel::close_file(pipe.read);
    const std::string_view help(text, size.value_or(0u));
    return std::string(help.substr(0, help.find('\n')));
  }

  Ending run_program(const App& app, const char* option, const char* value, int output, std::chrono::seconds limit) {
    const std::string path = directory_ + "/" + app.name;
    const char* const argv[] = {path.c_str(), option, value, nullptr};
    const auto child = rt::kernel::fork().value();
    if (child == 0) {
      if (output != 1) (void)rt::kernel::duplicate_as(output, 1);
      rt::kernel::block_signals(before_);
      rt::eprintln("tour: cannot run {}: {}", path, rt::kernel::execute(argv[0], argv, environment_));
      rt::kernel::exit_process(126);
    }
    return wait(child, rt::Deadline::after(limit));
  }

  static Ending wait(rt::kernel::ProcessId child, rt::Deadline deadline) {
    for (;;) {
      const auto change = rt::kernel::wait_for_child(child, WNOHANG).value();
      if (change.id != 0) return {change.status};
      const auto signal = rt::kernel::wait_for_signal(SignalSet(Signal::sigchld), deadline);
      if (signal || signal.error() != rt::Errc::timed_out) continue;
      (void)rt::kernel::send_signal(child, Signal::sigkill);
      return {rt::kernel::wait_for_child(child).value().status, false};
    }
  }

  void add_row(const App& app, const Ending& ending, std::chrono::nanoseconds time) {
    char result[32];
    rt::Output out(result);
    if (ending.good())
      out.put("ok");
    else if (!ending.in_time)
      out.put("timed out");
    else if (ending.status.exited())
      rt::format_to(out, "status {}", ending.status.exit_code());
    else
      rt::format_to(out, "{}", ending.status.signal());

    // What one ships has neither symbols nor line numbers; where only that is there, it has the app's own name.
    const std::string path = directory_ + "/" + app.name;
    auto file = rt::kernel::path_status((path + ".stripped").c_str());
    if (!file) file = rt::kernel::path_status(path.c_str());
    const auto hundredths = time / 10ms;
    char row[256];
    rt::Output line(row);
    rt::format_to(line, "{:<28} {}{:<10}{} {:>8} bytes {:>5}.{:02} s\n", app.name, ending.good() ? green_ : red_,
                  out.text(), plain_, file ? file->size : 0, hundredths / 100, hundredths % 100);
    table_ += line.text();
  }

  const std::string directory_;
  const char* const time_scale_;
  char** const environment_;
  const SignalSet before_; // blocked when the tour was started
  std::string_view bold_, green_, red_, plain_;
  std::string table_;
  int failed_ = 0;
};

int complain(std::string_view argument, std::string_view what) {
  rt::eprintln("tour: '{}' {}; see --help", argument, what);
  return 2;
}

} // namespace

int main(int argc, char** argv, char** environment) {
  const char* const time_scale = argc > 2 ? argv[2] : "0.2";
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    rt::println("Runs all apps of a directory in order, then shows a table of results, sizes and times.\n\n"
                "Usage: tour DIRECTORY [TIME_SCALE]\n\n"
                "TIME_SCALE is the factor on all sleeps of the apps: 0.2 if not given.");
    return 0;
  }
  if (argc < 2) {
    rt::eprintln("tour: no directory is given; see --help");
    return 2;
  }
  if (argc > 3) return complain(argv[3], "is too much");
  if (apps::parse_factor(time_scale) == 0) return complain(time_scale, "is no number from 0.000001 to 1000");
  const auto apps = find_apps(argv[1]);
  if (!apps) {
    rt::eprintln("tour: cannot read the directory '{}': {}", argv[1], apps.error());
    return 2;
  }
  if (apps->empty()) {
    rt::eprintln("tour: no apps in {}", argv[1]);
    return 1;
  }
  Tour tour(argv[1], time_scale, environment);
  for (const auto& app : *apps) tour.run(app);
  return tour.finish() ? 0 : 1;
}
