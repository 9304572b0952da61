#pragma once
// Time: the kernel's monotonic clock, and deadlines on it.

#include <chrono>
#include <cstdint>
#include <limits>

namespace rt {

/// CLOCK_MONOTONIC: never set back, does not count the time that the machine is suspended. A clock in the sense of
/// <chrono>.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;

  /// About 20 ns: read in user space, from the vDSO.
  static time_point now();
};

/// Seconds and nanoseconds since 1970 in UTC (CLOCK_REALTIME); may be set by the administrator.
std::chrono::nanoseconds time_since_1970();

/// The moment at which waiting ends.
class Deadline {
 public:
  /// Never.
  constexpr Deadline() = default;

  /// After a duration, rounded up to nanoseconds; a negative one has passed already.
  template <class Rep, class Period> static Deadline after(std::chrono::duration<Rep, Period> timeout) {
    if (timeout <= timeout.zero()) return Deadline(0);
    // Durations of a century and more are "never": nanoseconds in 64 bits end after 292 years.
    if (std::chrono::duration_cast<std::chrono::duration<double>>(timeout).count() > 3e9) return {};
    return Deadline(Clock::now().time_since_epoch().count() +
                    std::chrono::ceil<std::chrono::nanoseconds>(timeout).count());
  }
  static constexpr Deadline at(std::int64_t nanoseconds) { return Deadline(nanoseconds); }

  constexpr bool never() const { return nanoseconds_ == std::numeric_limits<std::int64_t>::max(); }
  bool passed() const { return !never() && Clock::now().time_since_epoch().count() >= nanoseconds_; }
  /// On Clock, since its epoch.
  constexpr std::int64_t nanoseconds() const { return nanoseconds_; }

  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  constexpr explicit Deadline(std::int64_t nanoseconds) : nanoseconds_(nanoseconds) {}
  std::int64_t nanoseconds_ = std::numeric_limits<std::int64_t>::max();
};

/// The same as the kernel wants it.
struct KernelTime {
  std::int64_t seconds;
  std::int64_t nanoseconds;

  static constexpr KernelTime from(std::int64_t nanoseconds) {
    return {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  }
};

} // namespace rt
