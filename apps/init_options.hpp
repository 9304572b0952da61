#pragma once
// What init is told on its command line.

#include <rt/base/print.hpp>
#include <rt/kernel/machine.hpp>
#include <rt/kernel/signal.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace init {

struct Settings {
  bool group = false;     // forward signals to the command's process group
  bool subreaper = false; // adopt orphans without being PID 1
  bool verbose = false;
  std::chrono::milliseconds grace{5000};
  rt::kernel::MachineEnd machine_end = rt::kernel::MachineEnd::power_off;
  std::optional<rt::kernel::Signal> at_parent_end;
  signed char rewritten[rt::kernel::last_signal + 1] = {}; // 0: forwarded as it is, -1: not at all
  bool expected[256] = {};                                 // exit codes that count as 0
  const char* tour = nullptr;                              // directory
  const char* const* command = nullptr;                    // argv, ends with nullptr
};

inline constexpr char help[] =
    R"(init: runs one command as the first process of a machine, of a container, or in front of any process.

Usage: init [OPTION]... [--] COMMAND [ARGUMENT]...

Signals go on to the command, and orphans are reaped. When the command has ended, all processes that are left get
SIGTERM, and after a time SIGKILL. The exit code is the command's: 128 + N if signal N killed it, 127 if it was not
found, 126 if it could not be executed, 1 if init itself failed, 2 for wrong arguments.

  -g, --group              signals go to the command's whole process group
  -r, --rewrite FROM:TO    send signal TO in place of FROM; 0 sends none
  -e, --expect CODE        take this exit code of the command for success (0)
  -t, --grace SECONDS      time between SIGTERM and SIGKILL at the end; 5 if not given
  -s, --subreaper          adopt orphans although this is not PID 1
  -p, --parent-end SIGNAL  get (and forward) this signal when the parent process ends
  -v, --verbose            tell what happens, on standard error
      --tour DIRECTORY     the command is the tour of the apps in DIRECTORY
      --restart, --halt    at the end restart or halt the machine; else it is powered off
  -h, --help               show this text

As the first process of a machine (words after ' -- ' on the kernel's command line are its arguments) init mounts /dev,
/proc, /sys, /sys/fs/cgroup, /dev/pts, /dev/shm, /run and /tmp where nothing is mounted, opens the console in a
session of its own, with the command in the foreground, and starts the loopback interface. Without a command it runs
the tour of the directory /. At the end it prints 'init: exit code N' and powers the machine off.)";

/// Reads the arguments one by one; the first that is wrong is told and ends it.
class OptionReader {
 public:
  explicit OptionReader(char** argv) : argument_(argv + 1) {}

  /// The status to end with, if there is nothing to be run.
  std::optional<int> read(Settings& settings) {
    for (; *argument_ && (*argument_)[0] == '-' && (*argument_)[1]; ++argument_) {
      const std::string_view word = *argument_;
      if (word == "--") {
        ++argument_;
        break;
      }
      const bool good = word[1] == '-' ? long_option(settings, word.substr(2)) : letters(settings, word.substr(1));
      if (help_) {
        rt::println(help);
        return 0;
      }
      if (!good) return 2;
    }
    settings.command = argument_;
    return {};
  }

 private:
  struct Option {
    char letter;
    bool takes_value;
    char name[11];
  };
  static constexpr Option options[] = {
      {'g', false, "group"},     {'r', true, "rewrite"},    {'e', true, "expect"},   {'t', true, "grace"},
      {'s', false, "subreaper"}, {'p', true, "parent-end"}, {'v', false, "verbose"}, {'T', true, "tour"},
      {'R', false, "restart"},   {'H', false, "halt"},      {'h', false, "help"},
  };

  static bool complain(std::string_view option, const char* what) {
    rt::eprintln("init: '{}' {}; see --help", option, what);
    return false;
  }

  bool long_option(Settings& settings, std::string_view word) {
    const std::size_t equals = word.find('=');
    for (const auto& option : options)
      if (word.substr(0, equals) == option.name) {
        if (!option.takes_value)
          return equals == word.npos ? apply(settings, option, {}) : complain(word, "takes no value");
        return equals == word.npos ? with_next(settings, option) : apply(settings, option, word.substr(equals + 1));
      }
    return complain(*argument_, "is not an option");
  }

  // As getopt(3) has it: letters without a value may be joined, and a value may follow its letter directly.
  bool letters(Settings& settings, std::string_view word) {
    for (; !word.empty(); word.remove_prefix(1)) {
      const Option* option = find(word[0]);
      if (!option) return complain(*argument_, "is not an option");
      if (option->takes_value)
        return word.size() > 1 ? apply(settings, *option, word.substr(1)) : with_next(settings, *option);
      if (!apply(settings, *option, {})) return false;
    }
    return true;
  }

  static const Option* find(char letter) {
    for (const auto& option : options)
      if (option.letter == letter && letter >= 'a') return &option; // those in capitals have no short form
    return nullptr;
  }

  bool with_next(Settings& settings, const Option& option) {
    if (!argument_[1]) return complain(*argument_, "needs a value");
    return apply(settings, option, *++argument_);
  }

  bool apply(Settings& settings, const Option& option, std::string_view value) {
    switch (option.letter) {
    case 'g': return settings.group = true;
    case 's': return settings.subreaper = true;
    case 'v': return settings.verbose = true;
    case 'h': return help_ = true;
    case 'T': settings.tour = value.data(); return true;
    case 'R': settings.machine_end = rt::kernel::MachineEnd::restart; return true;
    case 'H': settings.machine_end = rt::kernel::MachineEnd::halt; return true;
    case 'r': return rewrite(settings, value);
    case 'e': return expect(settings, value);
    case 't': return grace(settings, value);
    default: return parent_end(settings, value);
    }
  }

  static bool rewrite(Settings& settings, std::string_view value) {
    const std::size_t colon = value.find(':');
    if (colon == value.npos) return complain(value, "is not of the form FROM:TO");
    const auto from = rt::kernel::parse_signal(value.substr(0, colon));
    const std::string_view target = value.substr(colon + 1);
    const auto to = rt::kernel::parse_signal(target);
    if (!from || (!to && target != "0")) return complain(value, "does not name two signals");
    settings.rewritten[static_cast<int>(*from)] = to ? static_cast<signed char>(*to) : -1;
    return true;
  }

  static bool expect(Settings& settings, std::string_view value) {
    const auto code = number(value);
    if (!code || *code > 255) return complain(value, "is not an exit code");
    return settings.expected[*code] = true;
  }

  static bool grace(Settings& settings, std::string_view value) {
    const std::size_t point = value.find('.');
    const auto seconds = number(value.substr(0, point));
    const std::string_view decimals = point == value.npos ? "0" : value.substr(point + 1);
    const auto fraction = number(decimals);
    if (!seconds || *seconds > 86'400 || !fraction || decimals.size() > 3)
      return complain(value, "is not a time in seconds");
    unsigned milliseconds = *fraction;
    for (std::size_t i = decimals.size(); i < 3; ++i) milliseconds *= 10;
    settings.grace = std::chrono::milliseconds(*seconds * 1000 + milliseconds);
    return true;
  }

  static bool parent_end(Settings& settings, std::string_view value) {
    const auto signal = rt::kernel::parse_signal(value);
    if (!signal) return complain(value, "is not a signal");
    settings.at_parent_end = *signal;
    return true;
  }

  static std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    if (text.empty() || text.size() > 6) return {};
    for (const char c : text) {
      if (c < '0' || c > '9') return {};
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
  }

  const char* const* argument_;
  bool help_ = false;
};

} // namespace init
