#pragma once
// Runs built programs as a user would, and reads their transcripts.
//
//   const e2e::Ending ending = e2e::run(e2e::app("09_event"), {"--time-scale", "0.05"});
//   CHECK(ending.status == 0);
//   CHECK(ending.lines().back() == "end");
//
// The apps are those in the directory that the environment's RT_APPS names.

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace e2e {

inline std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

inline std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// The places of the lines that contain the text.
inline std::vector<std::size_t> places(const std::vector<std::string>& lines, std::string_view text) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (contains(lines[i], text)) found.push_back(i);
  return found;
}

/// The one place of the text. A test fails if there is another number of them.
inline std::size_t place(const std::vector<std::string>& lines, std::string_view text) {
  const auto found = places(lines, text);
  INFO("text: ", std::string(text));
  REQUIRE(found.size() == 1);
  return found[0];
}

/// The integer that follows the text in the line.
inline long number_after(std::string_view line, std::string_view text) {
  const std::size_t at = line.find(text);
  INFO("line: ", std::string(line), ", text: ", std::string(text));
  REQUIRE(at != line.npos);
  return std::strtol(std::string(line.substr(at + text.size())).c_str(), nullptr, 10);
}

/// The duration that follows the text in the line, in milliseconds: "1.5s", "103ms", "0s".
inline double milliseconds_after(std::string_view line, std::string_view text) {
  const std::size_t at = line.find(text);
  INFO("line: ", std::string(line), ", text: ", std::string(text));
  REQUIRE(at != line.npos);
  const std::string duration(line.substr(at + text.size()));
  char* unit = nullptr;
  const double number = std::strtod(duration.c_str(), &unit);
  const std::string_view after(unit);
  REQUIRE((after.starts_with("ms") || after.starts_with("s")));
  return after.starts_with("ms") ? number : number * 1000;
}

/// Whether `holds` does in one of several tries: for what takes longer where others keep the machine busy.
template <class Condition> bool in_one_try(Condition holds) {
  for (int i = 0; i < 20; ++i)
    if (holds()) return true;
  return false;
}

inline std::filesystem::path apps_directory() {
  const char* directory = std::getenv("RT_APPS");
  if (!directory || !std::filesystem::is_directory(directory))
    throw std::runtime_error("RT_APPS has to name the directory of the built apps");
  return std::filesystem::absolute(directory);
}
inline std::string app(std::string_view name) { return apps_directory() / name; }

/// The names of the apps that take options: those that begin with a number.
inline std::vector<std::string> numbered_apps() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(apps_directory())) {
    const std::string name = entry.path().filename();
    if (name[0] >= '0' && name[0] <= '9' && !contains(name, ".")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// A directory that exists as long as the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    if (!mkdtemp(path_.data())) throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  bool empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "rt-e2e-XXXXXX";
};

struct Ending {
  int status = -1; // as given to exit; -1: ended by a signal
  int signal = 0;  // 0: none
  bool in_time = true;
  std::string out, err;
  double seconds = 0;

  bool by_exit(int code) const { return in_time && status == code && signal == 0; }
  bool by_signal(int number) const { return in_time && signal == number; }
  std::vector<std::string> lines() const { return split_lines(out); }
};

enum class Output { captured, without_reader, closed };

struct Setting {
  Output output = Output::captured;
  bool ignore_sigpipe = false;
  std::string directory = ".";
  std::chrono::seconds time_limit{60};
  int namespaces = 0; // CLONE_NEW… flags: the program starts in new ones
  /// What the child does before it executes the program; false: it failed, errno tells why.
  std::function<bool()> before_execution = nullptr;
};

/// A running program. Its destructor kills it.
class Program {
 public:
  explicit Program(const std::string& path, const std::vector<std::string>& arguments = {}, const Setting& setting = {})
      : begin_(Clock::now()), limit_(begin_ + setting.time_limit) {
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");

    int failure[2]; // the child's errno, if it cannot execute the program
    if (pipe2(failure, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    const rlimit no_core_file{0, 0};
    setrlimit(RLIMIT_CORE, &no_core_file);
    if (setting.output == Output::without_reader) {
      close(out[0]);
      out[0] = -1;
    }
    std::vector<char*> argv{const_cast<char*>(path.c_str())};
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    // fork(2) with namespaces; the order of the last two arguments, which depends on the CPU, does not matter.
    pid_ = static_cast<pid_t>(syscall(SYS_clone, setting.namespaces | SIGCHLD, 0, 0, 0, 0));
    if (pid_ == 0) {
      const int error = execute(argv, setting, out[1], err[1]);
      (void)!write(failure[1], &error, sizeof error);
      _exit(127);
    }
    int error = pid_ < 0 ? errno : 0;
    close(failure[1]);
    (void)!read(failure[0], &error, sizeof error); // nothing, when the program runs
    close(failure[0]);
    close(out[1]);
    close(err[1]);
    out_ = out[0];
    err_ = err[0];
    if (error != 0) {
      if (pid_ > 0) waitpid(pid_, nullptr, 0);
      pid_ = -1;
      throw std::runtime_error(path + ": " + std::strerror(error));
    }
  }
  ~Program() {
    if (pid_ > 0) {
      kill(SIGKILL);
      finish();
    }
    close_if_open(out_);
    close_if_open(err_);
  }
  Program(const Program&) = delete;

  /// Reads on until the standard output has that text; false: it ended, or took too long, without.
  bool read_until(std::string_view text) {
    while (!contains(ending_.out, text))
      if (!read_some()) return false;
    return true;
  }

  /// What was read of the standard output so far.
  const std::string& output() const { return ending_.out; }
  pid_t pid() const { return pid_; }
  void kill(int signal) { ::kill(pid_, signal); }

  /// Reads until no process holds the program's outputs any more, and takes its status. A program that takes too long
  /// is killed.
  Ending finish() {
    while (read_some()) {
    }
    if (!ending_.in_time) kill(SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFEXITED(status)) ending_.status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ending_.signal = WTERMSIG(status);
    ending_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    return ending_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// In the child. Returns errno.
  static int execute(const std::vector<char*>& argv, const Setting& setting, int out, int err) {
    if (dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) return errno;
    if (setting.output == Output::closed) close(1);
    std::signal(SIGPIPE, setting.ignore_sigpipe ? SIG_IGN : SIG_DFL);
    if (chdir(setting.directory.c_str()) != 0) return errno;
    if (setting.before_execution && !setting.before_execution()) return errno;
    execv(argv[0], argv.data());
    return errno;
  }

  static void close_if_open(int& descriptor) {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
  }

  static void read_from(int& descriptor, std::string& text) {
    char buffer[4096];
    const ssize_t size = read(descriptor, buffer, sizeof buffer);
    if (size > 0)
      text.append(buffer, static_cast<std::size_t>(size));
    else if (size == 0 || errno != EINTR)
      close_if_open(descriptor);
  }

  bool read_some() {
    if (out_ < 0 && err_ < 0) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit_ - Clock::now()).count();
    pollfd both[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}}; // poll skips negative descriptors
    if (left <= 0 || poll(both, 2, static_cast<int>(left)) == 0) {
      ending_.in_time = false;
      return false;
    }
    if (both[0].revents) read_from(out_, ending_.out);
    if (both[1].revents) read_from(err_, ending_.err);
    return true;
  }

  const Clock::time_point begin_, limit_;
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  Ending ending_;
};

inline Ending run(const std::string& path, const std::vector<std::string>& arguments = {},
                  const Setting& setting = {}) {
  return Program(path, arguments, setting).finish();
}

/// Runs an app that is to succeed without a word on standard error, at a twentieth of its sleeps. Returns its lines.
inline std::vector<std::string> transcript(std::string_view name) {
  const Ending ending = run(app(name), {"--time-scale", "0.05"});
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  REQUIRE(ending.by_exit(0));
  CHECK(ending.err == "");
  return ending.lines();
}

} // namespace e2e

/// Failed checks print the transcript.
#define SHOW_TRANSCRIPT(lines)                                                                                         \
  const std::string transcript_text = e2e::join_lines(lines);                                                          \
  INFO("transcript:\n", transcript_text)
