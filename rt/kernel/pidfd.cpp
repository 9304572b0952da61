#include <rt/kernel/pidfd.hpp>

#include <arch/syscall.hpp>
#include <linux/sched.h>
#include <linux/wait.h>

namespace rt::kernel {

// The order of clone's last two arguments depends on the CPU: both are 0 here. The descriptor is stored where a
// thread's id would be.
Result<DescribedProcess> fork_with_descriptor(unsigned long flags) {
  DescribedProcess child;
  const long result = arch::syscall(__NR_clone, static_cast<long>(flags | CLONE_PIDFD), 0,
                                    reinterpret_cast<long>(&child.descriptor), 0, 0);
  if (result < 0) return Error::from_kernel(result);
  child.id = static_cast<ProcessId>(result);
  return child;
}

Result<int> open_process(ProcessId process) {
  const long result = arch::syscall(__NR_pidfd_open, process, 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> send_signal_to_described(int process_descriptor, Signal signal) {
  return Error::from_kernel(arch::syscall(__NR_pidfd_send_signal, process_descriptor, static_cast<int>(signal), 0, 0));
}

Result<ChildChange> wait_for_described_child(int process_descriptor, int options) {
  // The kernel's siginfo_t for SIGCHLD on 64-bit CPUs.
  struct {
    int signal, error, code, unused, id, user, status, rest[25];
  } info = {};
  constexpr int exited = 1; // CLD_EXITED; else a signal has killed it, and perhaps dumped core
  long result;
  do
    result = arch::syscall(__NR_waitid, P_PIDFD, process_descriptor, reinterpret_cast<long>(&info),
                           WEXITED | __WALL | options, 0);
  while (result == -static_cast<long>(Errc::interrupted));
  if (result < 0) return Error::from_kernel(result);
  return ChildChange{info.id, {info.code == exited ? (info.status & 0xff) << 8 : info.status}};
}

} // namespace rt::kernel
