#pragma once

#include <rt/kernel/clock.hpp>

namespace rt {

/// Blocks the calling task until the deadline; signals do not end it, its Timeout and a cancel do.
void sleep_until(Deadline deadline);

/// Blocks the calling task for at least the given time (Python's time.sleep).
template <class Rep, class Period> void sleep_for(std::chrono::duration<Rep, Period> time) {
  sleep_until(Deadline::after(time));
}

/// Lets other threads have the CPU (sched_yield(2)).
void yield_thread();

} // namespace rt
