#include <rt/kernel/process.hpp>

#include <arch/syscall.hpp>
#include <linux/prctl.h>

namespace rt::kernel {

ProcessId process_id() { return static_cast<ProcessId>(arch::syscall(__NR_getpid)); }
ProcessId process_group() { return static_cast<ProcessId>(arch::syscall(__NR_getpgid, 0)); }

// The order of clone's last two arguments depends on the CPU: both are 0 here.
Result<ProcessId> fork(unsigned long flags) {
  const long result =
      arch::syscall(__NR_clone, static_cast<long>(flags | static_cast<unsigned>(Signal::sigchld)), 0, 0, 0, 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<ProcessId>(result);
}

void exit_process(int code) {
  for (;;) arch::syscall(__NR_exit_group, code);
}

Error execute(const char* path, const char* const* argv, const char* const* environment) {
  return Error::from_kernel(arch::syscall(__NR_execve, reinterpret_cast<long>(path), reinterpret_cast<long>(argv),
                                          reinterpret_cast<long>(environment)));
}

Result<ChildChange> wait_for_child(ProcessId child, int options) {
  ChildChange change;
  long result;
  do result = arch::syscall(__NR_wait4, child, reinterpret_cast<long>(&change.status.bits), options, 0);
  while (result == -static_cast<long>(Errc::interrupted));
  if (result < 0) return Error::from_kernel(result);
  change.id = static_cast<ProcessId>(result);
  return change;
}

Result<void> start_session() {
  const long result = arch::syscall(__NR_setsid);
  if (result < 0) return Error::from_kernel(result);
  return {};
}

Result<void> set_process_group(ProcessId process, ProcessId group) {
  return Error::from_kernel(arch::syscall(__NR_setpgid, process, group));
}

Result<void> become_subreaper() {
  return Error::from_kernel(arch::syscall(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0));
}

Result<void> signal_at_parent_end(Signal signal) {
  return Error::from_kernel(arch::syscall(__NR_prctl, PR_SET_PDEATHSIG, static_cast<int>(signal), 0, 0));
}

} // namespace rt::kernel
