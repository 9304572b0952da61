#pragma once
// The options of an app. The app names each of its own where it wants to know it, and that is what --help shows:
//
//   apps::Options options(argc, argv, "What the app shows, in one line.");
//   const bool deadlock = options.flag("--deadlock", "what it does");
//   if (const auto status = options.finish()) return *status;
//
// Every app has --time-scale and --help as well. A wrong argument is one line on standard error and status 2.

#include <rt/base/print.hpp>
#include <rt/sync/sleep.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace apps {

/// The factor on all sleeps, in millionths.
inline constinit std::int64_t time_scale = 1'000'000;

/// The duration times the factor of --time-scale.
inline std::chrono::nanoseconds scaled(std::chrono::milliseconds time) {
  return std::chrono::nanoseconds(time.count() * time_scale);
}

/// Sleeps for the scaled duration.
inline void pause(std::chrono::milliseconds time) { rt::sleep_for(scaled(time)); }

/// A decimal number in millionths; 0 if the text is none, or out of the range from one millionth to a thousand.
constexpr std::int64_t parse_factor(std::string_view text) {
  constexpr std::int64_t one = 1'000'000, most = 1'000 * one;
  std::int64_t value = 0, decimal = 0;
  for (const char c : text) {
    if (c == '.' && decimal == 0) {
      decimal = one;
    } else if (c < '0' || c > '9') {
      return 0;
    } else if (decimal == 0) {
      value = value * 10 + (c - '0') * one;
    } else {
      decimal = decimal > 1 ? decimal / 10 : -1; // from the seventh decimal on nothing is added
      if (decimal > 0) value += (c - '0') * decimal;
    }
    if (value > most) return 0;
  }
  return value;
}

class Options {
 public:
  Options(int argc, char** argv, std::string_view about) : argc_(argc), argv_(argv) {
    if (argc > 0) name_ = argv[0];
    name_.remove_prefix(name_.rfind('/') + 1);
    help_ = take("--help");
    if (help_) rt::println("{}\n\nUsage: {} [OPTION]...\n", about, name_);
  }

  /// Whether the option was given.
  bool flag(std::string_view option, std::string_view help) {
    describe(option, help);
    return take(option);
  }

  /// What the option was given, as in --name NAME.
  std::optional<std::string_view> text(std::string_view option, std::string_view value, std::string_view help) {
    describe(option, help, value);
    std::optional<std::string_view> found;
    for (int i = 1; i < argc_; ++i) {
      if (!argv_[i] || argv_[i] != option) continue;
      argv_[i] = nullptr;
      if (i + 1 == argc_ || !argv_[i + 1])
        complain(option, "needs a value");
      else
        found = std::exchange(argv_[++i], nullptr);
    }
    return found;
  }

  /// The same for a whole number from `least` to `most`.
  std::optional<unsigned> number(std::string_view option, std::string_view value, std::string_view help, unsigned least,
                                 unsigned most) {
    const auto digits = text(option, value, help);
    if (!digits) return {};
    std::uint64_t number = 0;
    bool valid = !digits->empty() && digits->size() <= 10;
    for (const char c : *digits) {
      valid = valid && c >= '0' && c <= '9';
      number = number * 10 + static_cast<unsigned char>(c - '0');
    }
    if (valid && number >= least && number <= most) return static_cast<unsigned>(number);
    char what[64];
    complain(option, std::string_view(what, rt::format_to(what, "needs a number from {} to {}", least, most)));
    return {};
  }

  /// Says what is wrong with an option's value.
  void complain(std::string_view argument, std::string_view what) {
    if (!std::exchange(wrong_, true)) rt::eprintln("{}: '{}' {}; see --help", name_, argument, what);
  }

  /// To be called when all options were named. The status to end with, if the app is not to go on.
  std::optional<int> finish() {
    describe("--time-scale FACTOR", "multiply all sleeps, for example by 0.05");
    describe("--help", "show this text");
    if (help_) return 0;
    read_time_scale("--time-scale");
    for (int i = 1; i < argc_; ++i)
      if (argv_[i]) complain(argv_[i], "is not an option");
    if (wrong_) return 2;
    return {};
  }

 private:
  void describe(std::string_view option, std::string_view help, std::string_view value = {}) {
    char both[64];
    const std::size_t size = value.empty() ? 0 : rt::format_to(both, "{} {}", option, value);
    if (help_) rt::println("  {:<22}{}", size != 0 ? std::string_view(both, size) : option, help);
  }

  // Arguments that were understood are taken out of argv; what is left in the end is wrong.
  bool take(std::string_view option) {
    bool found = false;
    for (int i = 1; i < argc_; ++i)
      if (argv_[i] && argv_[i] == option) {
        argv_[i] = nullptr;
        found = true;
      }
    return found;
  }

  void read_time_scale(std::string_view option) {
    for (int i = 1; i < argc_; ++i) {
      if (!argv_[i] || argv_[i] != option) continue;
      argv_[i] = nullptr;
      const char* const text = i + 1 < argc_ ? std::exchange(argv_[++i], nullptr) : nullptr;
      time_scale = text ? parse_factor(text) : 0;
      if (time_scale == 0) complain(option, "needs a number from 0.000001 to 1000");
    }
  }

  const int argc_;
  char** const argv_;
  std::string_view name_;
  bool help_ = false;
  bool wrong_ = false;
};

} // namespace apps
