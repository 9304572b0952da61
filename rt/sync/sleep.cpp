#include <rt/sync/sleep.hpp>

#include <rt/sync/waiter.hpp>

#include <arch/syscall.hpp>

namespace rt {

void sleep_until(Deadline deadline) {
  if (hub::running_flow) {
    Waiter().park(deadline);
    return;
  }
  deadline = deadline.limited_to(current_task().limit);
  constexpr long monotonic = 1, absolute = 1; // CLOCK_MONOTONIC, TIMER_ABSTIME
  const KernelTime until = KernelTime::from(deadline.nanoseconds());
  constexpr long interrupted = -static_cast<long>(4); // EINTR
  while (arch::syscall(__NR_clock_nanosleep, monotonic, absolute, reinterpret_cast<long>(&until), 0) == interrupted) {
  }
}

void yield_thread() { arch::syscall(__NR_sched_yield); }

} // namespace rt
