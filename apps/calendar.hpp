#pragma once
// The time of day as a text.

#include <rt/base/format.hpp>
#include <rt/kernel/clock.hpp>

#include <array>
#include <chrono>

namespace apps {

/// "Tue Nov 24 12:44:39 2026", in UTC (asctime(3)).
class TimeText {
 public:
  explicit TimeText(std::chrono::nanoseconds since_1970) {
    static constexpr std::string_view days = "SunMonTueWedThuFriSat", months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    using namespace std::chrono;
    const auto midnight = floor<std::chrono::days>(since_1970);
    const sys_days day{midnight};
    const year_month_day date(day);
    const hh_mm_ss time(floor<seconds>(since_1970 - midnight));
    rt::Output out(text_);
    rt::format_to(out, "{} {} {:>2} {:02}:{:02}:{:02} {}", days.substr(3 * weekday(day).c_encoding(), 3),
                  months.substr(3 * (unsigned{date.month()} - 1), 3), unsigned{date.day()}, time.hours().count(),
                  time.minutes().count(), time.seconds().count(), int{date.year()});
    size_ = out.text().size();
  }
  static TimeText now() { return TimeText(rt::time_since_1970()); }

  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 40> text_;
  std::size_t size_ = 0;
};

} // namespace apps
