#pragma once

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>

namespace rt {

/// Blocks the calling task until the deadline; signals do not end it. timed_out: its Timeout has ended it before;
/// canceled.
Result<void> sleep_until(Deadline deadline);

/// Blocks the calling task for at least the given time (Python's time.sleep). timed_out: less, as its Timeout was over;
/// canceled.
template <class Rep, class Period> Result<void> sleep_for(std::chrono::duration<Rep, Period> time) {
  return sleep_until(Deadline::after(time));
}

/// Lets other threads have the CPU (sched_yield(2)).
void yield_thread();

} // namespace rt
