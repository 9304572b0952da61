#include <rt/kernel/pidfd.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/wait.h>

namespace rt::kernel {

// The order of clone's last two arguments depends on the CPU: both are 0 here. The descriptor is stored where a
// thread's id would be.
Result<DescribedProcess> fork_quietly(unsigned long flags, Described described) {
  DescribedProcess child;
  if (described == Described::yes) flags |= CLONE_PIDFD;
  const long result =
      arch::syscall(__NR_clone, static_cast<long>(flags), 0, reinterpret_cast<long>(&child.descriptor), 0, 0);
  if (result < 0) return Error::from_kernel(result);
  child.id = static_cast<ProcessId>(result);
  return child;
}

Result<int> open_process(ProcessId process) {
  const long result = arch::syscall(__NR_pidfd_open, process, 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<int> open_ready() {
  constexpr unsigned once = 1;
  const long result = arch::syscall(__NR_eventfd2, once, O_CLOEXEC);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> send_signal_to_described(const DescribedProcess& process, Signal signal) {
  if (process.descriptor < 0) return send_signal(process.id, signal);
  return Error::from_kernel(arch::syscall(__NR_pidfd_send_signal, process.descriptor, static_cast<int>(signal), 0, 0));
}

Result<ChildChange> wait_for_described_child(const DescribedProcess& process, int options) {
  // The kernel's siginfo_t for SIGCHLD on 64-bit CPUs.
  struct {
    int signal, error, code, unused, id, user, status, rest[25];
  } info = {};
  constexpr int exited = 1; // CLD_EXITED; else a signal has killed it, and perhaps dumped core
  const bool described = process.descriptor >= 0;
  long result;
  do
    result = arch::syscall(__NR_waitid, described ? P_PIDFD : P_PID, described ? process.descriptor : process.id,
                           reinterpret_cast<long>(&info), WEXITED | __WALL | options, 0);
  while (result == -static_cast<long>(Errc::interrupted));
  if (result < 0) return Error::from_kernel(result);
  return ChildChange{info.id, {info.code == exited ? (info.status & 0xff) << 8 : info.status}};
}

} // namespace rt::kernel
