#include <rt/kernel/resource.hpp>

#include <arch/syscall.hpp>

namespace rt::kernel {

Limits limits_of(Resource resource) {
  Limits limits;
  arch::syscall(__NR_prlimit64, 0, static_cast<int>(resource), 0, reinterpret_cast<long>(&limits));
  return limits;
}

Result<void> set_limits(Resource resource, const Limits& limits) {
  return Error::from_kernel(
      arch::syscall(__NR_prlimit64, 0, static_cast<int>(resource), reinterpret_cast<long>(&limits), 0));
}

Result<void> add_to_nice(int increment) {
  constexpr int of_process = 0; // PRIO_PROCESS
  // The kernel tells 20 minus the value, as its results must not be negative.
  const long found = arch::syscall(__NR_getpriority, of_process, 0);
  if (found < 0) return Error::from_kernel(found);
  return Error::from_kernel(arch::syscall(__NR_setpriority, of_process, 0, 20 - found + increment));
}

} // namespace rt::kernel
