#include <rt/kernel/select.hpp>

#include <arch/syscall.hpp>

#include <algorithm>

namespace rt::kernel {

Result<unsigned> select(int end, DescriptorSet& readable, DescriptorSet& writable, Deadline deadline) {
  const std::int64_t left = deadline.never() ? 0 : deadline.nanoseconds() - Clock::now().time_since_epoch().count();
  KernelTime time = KernelTime::from(std::max<std::int64_t>(left, 0));
  const long result =
      arch::syscall(__NR_pselect6, end, reinterpret_cast<long>(&readable), reinterpret_cast<long>(&writable), 0,
                    deadline.never() ? 0 : reinterpret_cast<long>(&time), 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<unsigned>(result);
}

} // namespace rt::kernel
