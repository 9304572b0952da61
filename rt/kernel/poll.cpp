#include <rt/kernel/poll.hpp>

#include <arch/syscall.hpp>

#include <algorithm>

namespace rt::kernel {

Result<unsigned> poll(std::span<Polled> descriptors, Deadline deadline) {
  const std::int64_t left = deadline.never() ? 0 : deadline.nanoseconds() - Clock::now().time_since_epoch().count();
  const KernelTime time = KernelTime::from(std::max<std::int64_t>(left, 0));
  const long result =
      arch::syscall(__NR_ppoll, reinterpret_cast<long>(descriptors.data()), static_cast<long>(descriptors.size()),
                    deadline.never() ? 0 : reinterpret_cast<long>(&time), 0, 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<unsigned>(result);
}

} // namespace rt::kernel
