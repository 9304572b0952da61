#include <rt/kernel/clock.hpp>

#include <rt/base/hook.hpp>
#include <rt/kernel/vdso.hpp>

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <linux/auxvec.h>

namespace rt {
namespace {

using ClockGettime = int (*)(int clock, KernelTime* time);

constinit ClockGettime clock_gettime_of_vdso = nullptr;

std::int64_t read_clock(int clock) {
  KernelTime time;
  // The vDSO says -ENOSYS where the machine's clock cannot be read in user space.
  if (!clock_gettime_of_vdso || clock_gettime_of_vdso(clock, &time) != 0)
    arch::syscall(__NR_clock_gettime, clock, reinterpret_cast<long>(&time));
  return time.seconds * 1'000'000'000 + time.nanoseconds;
}

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_find_clock(const InitialStack& stack) {
  for (auto* entry = stack.auxiliary_vector(); entry[0] != AT_NULL; entry += 2)
    if (entry[0] == AT_SYSINFO_EHDR)
      clock_gettime_of_vdso = reinterpret_cast<ClockGettime>(
          kernel::find_in_vdso(reinterpret_cast<const void*>(entry[1]), arch::vdso_clock_gettime));
}
RT_AT_START(10, rt_find_clock);

Clock::time_point Clock::now() { return time_point(duration(read_clock(CLOCK_MONOTONIC))); }

std::chrono::nanoseconds time_since_1970() { return std::chrono::nanoseconds(read_clock(CLOCK_REALTIME)); }

} // namespace rt
