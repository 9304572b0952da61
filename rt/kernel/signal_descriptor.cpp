#include <rt/kernel/signal_descriptor.hpp>

#include <arch/syscall.hpp>
#include <linux/signalfd.h>

namespace rt::kernel {

Result<int> make_signal_descriptor(SignalSet set) {
  const long result =
      arch::syscall(__NR_signalfd4, -1, reinterpret_cast<long>(&set), sizeof set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<SignalInfo> read_signal(int descriptor) {
  signalfd_siginfo info;
  const long result = arch::syscall(__NR_read, descriptor, reinterpret_cast<long>(&info), sizeof info);
  if (result < 0) return Error::from_kernel(result);
  return SignalInfo{
      static_cast<Signal>(info.ssi_signo),    info.ssi_code, static_cast<int>(info.ssi_pid), info.ssi_uid, info.ssi_fd,
      static_cast<std::int64_t>(info.ssi_ptr)};
}

} // namespace rt::kernel
