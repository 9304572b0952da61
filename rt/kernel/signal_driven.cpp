#include <rt/kernel/signal_driven.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>

namespace rt::kernel {

Result<void> signal_when_ready(int descriptor, Signal signal) {
  const long process = arch::syscall(__NR_getpid);
  if (const long result = arch::syscall(__NR_fcntl, descriptor, F_SETOWN, process); result < 0)
    return Error::from_kernel(result);
  if (const long result = arch::syscall(__NR_fcntl, descriptor, F_SETSIG, static_cast<long>(signal)); result < 0)
    return Error::from_kernel(result);
  const long flags = arch::syscall(__NR_fcntl, descriptor, F_GETFL);
  if (flags < 0) return Error::from_kernel(flags);
  return Error::from_kernel(arch::syscall(__NR_fcntl, descriptor, F_SETFL, flags | FASYNC));
}

} // namespace rt::kernel
