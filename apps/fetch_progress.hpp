#pragma once
// What fetch shows of its downloads: bars on a terminal, else a line for each when it has ended.

#include <rt/base/print.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/file.hpp>
#include <rt/kernel/terminal.hpp>
#include <rt/sync/sleep.hpp>

#include <asm/ioctls.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>

namespace fetch {

struct Download {
  enum class State : std::uint8_t { waits, active, ended };

  std::string url, path;
  State state = State::waits;
  std::optional<std::uint64_t> size = {}; // if the server has told
  std::uint64_t received = 0;
  unsigned status = 0;  // the server's, if it was not 200
  bool on_disk = false; // where the error was
  rt::Clock::time_point begin = {};
  std::chrono::nanoseconds time = {};
};

/// "1.2 MB".
inline std::string size_text(std::uint64_t bytes) {
  constexpr std::string_view units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10;
  if (bytes >= 1000)
    for (tenths = bytes / 100, unit = 1; tenths >= 10'000; tenths /= 1000) ++unit;
  char text[32];
  const std::size_t size = unit == 0 ? rt::format_to(text, "{} B", bytes)
                                     : rt::format_to(text, "{}.{} {}", tenths / 10, tenths % 10, units[unit]);
  return {text, size};
}

class Progress {
 public:
  Progress(const std::deque<Download>& downloads, bool quiet)
      : downloads_(downloads), quiet_(quiet), bars_(!quiet && rt::kernel::is_terminal(1)) {}

  /// Shows the bars anew, ten times a second, until the task is canceled.
  void paint() {
    while (bars_ && rt::sleep_for(std::chrono::milliseconds(100))) redraw();
    if (bars_) clear();
  }

  void say_done(const Download& download) {
    if (quiet_) return;
    clear();
    rt::println("{}: {} in {} to {}", download.url, size_text(download.received),
                std::chrono::duration_cast<std::chrono::milliseconds>(download.time), download.path);
  }

  void say_failed(const Download& download, rt::Error error) {
    clear();
    if (download.status != 0)
      rt::eprintln("fetch: {}: the server answers {}", download.url, download.status);
    else if (error == rt::Errc::protocol_not_supported && download.url.starts_with("https:"))
      rt::eprintln("fetch: {}: https is not supported, as there is no TLS yet", download.url);
    else
      rt::eprintln("fetch: {}: {}", download.on_disk ? download.path : download.url, error);
  }

 private:
  /// Columns and lines of the terminal.
  struct Size {
    std::uint16_t lines = 24, columns = 80, pixels[2] = {};
  };

  void clear() {
    if (drawn_ == 0) return;
    rt::print("\x1b[{}A\x1b[J", drawn_);
    drawn_ = 0;
  }

  // All in one write, so that nothing flickers.
  void redraw() {
    Size size;
    (void)rt::kernel::control_device(1, TIOCGWINSZ, &size);
    if (size.columns < 20 || size.lines < 2) size = {};
    std::string text;
    if (drawn_ != 0) text += "\x1b[" + number(drawn_) + "A\x1b[J";
    drawn_ = 0;
    for (const Download& download : downloads_) {
      if (download.state != Download::State::active || drawn_ + 1u >= size.lines) continue;
      text += line(download, size.columns) + "\n";
      ++drawn_;
    }
    rt::print("{}", text);
  }

  /// name  [=====     ]  1.2 MB of 3.0 MB
  static std::string line(const Download& download, std::size_t columns) {
    const std::string received = size_text(download.received);
    const std::string amount = download.size ? received + " of " + size_text(*download.size) : received;
    std::string name = download.path.substr(download.path.rfind('/') + 1);
    const std::size_t width = columns - 1, name_width = std::min<std::size_t>(24, width / 3);
    if (name.size() > name_width) name.resize(name_width);
    name.resize(name_width, ' ');
    const std::size_t used = name_width + amount.size() + 6;
    const std::size_t bar = used < width ? std::min<std::size_t>(width - used, 40) : 0;
    if (bar < 5) return (name + " " + amount).substr(0, width);
    std::size_t full = 0;
    if (download.size && *download.size != 0)
      full = static_cast<std::size_t>(static_cast<double>(download.received) / static_cast<double>(*download.size) *
                                      static_cast<double>(bar));
    full = std::min(full, bar);
    return name + " [" + std::string(full, '=') + std::string(bar - full, ' ') + "] " + amount;
  }

  static std::string number(std::size_t value) {
    char text[20];
    return {text, rt::format_to(text, "{}", value)};
  }

  const std::deque<Download>& downloads_;
  const bool quiet_, bars_;
  std::size_t drawn_ = 0; // lines
};

} // namespace fetch
