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
  /// Never, unless the task's Timeout or a cancel ends the wait.
  constexpr Deadline() = default;

  /// Never, whatever happens: for a wait whose caller could not be told that it has failed.
  static constexpr Deadline no_matter_what() { return Deadline(forever + 1); }

  /// After a duration, rounded up to nanoseconds; a negative one has passed already.
  template <class Rep, class Period> static Deadline after(std::chrono::duration<Rep, Period> timeout) {
    if (timeout <= timeout.zero()) return Deadline(0);
    // Durations of a century and more are "never": nanoseconds in 64 bits end after 292 years.
    if (std::chrono::duration_cast<std::chrono::duration<double>>(timeout).count() > 3e9) return {};
    return Deadline(Clock::now().time_since_epoch().count() +
                    std::chrono::ceil<std::chrono::nanoseconds>(timeout).count());
  }
  static constexpr Deadline at(std::int64_t nanoseconds) { return Deadline(nanoseconds); }

  /// The sooner of both, if this one may be moved. limit: on Clock, since its epoch; 0: none.
  constexpr Deadline limited_to(std::int64_t limit) const {
    return limit != 0 && limit < nanoseconds_ && interruptible() ? Deadline(limit) : *this;
  }
  constexpr bool never() const { return nanoseconds_ >= forever; }
  constexpr bool interruptible() const { return nanoseconds_ <= forever; }
  bool passed() const { return !never() && Clock::now().time_since_epoch().count() >= nanoseconds_; }
  /// On Clock, since its epoch.
  constexpr std::int64_t nanoseconds() const { return nanoseconds_; }

  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max() - 1;

  constexpr explicit Deadline(std::int64_t nanoseconds) : nanoseconds_(nanoseconds) {}
  std::int64_t nanoseconds_ = forever;
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
