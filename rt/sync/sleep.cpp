#include <rt/sync/sleep.hpp>

#include <rt/sync/waiter.hpp>

#include <arch/syscall.hpp>

namespace rt {

Result<void> sleep_until(Deadline deadline) {
  const Deadline end = deadline.limited_to(current_task().limit);
  const Result<void> slept = end == deadline ? Result<void>() : Errc::timed_out;
  if (hub::running_flow) return Waiter().park(end) == Parked::canceled ? Errc::canceled : slept;
  constexpr long monotonic = 1, absolute = 1; // CLOCK_MONOTONIC, TIMER_ABSTIME
  const KernelTime until = KernelTime::from(end.nanoseconds());
  constexpr long interrupted = -static_cast<long>(4); // EINTR
  while (arch::syscall(__NR_clock_nanosleep, monotonic, absolute, reinterpret_cast<long>(&until), 0) == interrupted) {
  }
  return slept;
}

void yield_thread() { arch::syscall(__NR_sched_yield); }

} // namespace rt
