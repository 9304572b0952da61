#pragma once
// Processes by descriptor (pidfd_open(2)). An id may belong to another process as soon as the one that it meant has
// been waited for; a descriptor means the same process for ever, and can be polled.

#include <rt/base/result.hpp>
#include <rt/kernel/process.hpp>

namespace rt::kernel {

struct DescribedProcess {
  ProcessId id = 0;
  /// Ready to be read when the process has ended; close-on-exec. -1: none; then the id must not have been waited for.
  int descriptor = -1;
};

enum class Described : bool { no, yes };

/// Copies the calling process, as fork() does (the copy gets id 0), but the kernel sends no signal at the copy's end,
/// and wait4(2) for any child does not take its status: only wait_for_described_child does. After execve(2), or when
/// the parent has ended, it is a child as any other (clone(2), "the child termination signal").
Result<DescribedProcess> fork_quietly(unsigned long flags, Described described);

/// A descriptor of a process that has not been waited for yet. no_such_process.
Result<int> open_process(ProcessId process);

/// A descriptor that is ready to be read for ever, as that of a process that has ended is.
Result<int> open_ready();

/// kill(2). Errc::no_such_process: it has ended, and has been waited for.
Result<void> send_signal_to_described(const DescribedProcess& process, Signal signal);

/// Waits until the child has ended. Options of waitid(2) in <linux/wait.h>: WNOHANG: does not wait, id 0: it has not
/// ended; WNOWAIT: leaves its status to be taken again. Errc::no_child_process: it is another process's child, or
/// somebody has taken its status.
Result<ChildChange> wait_for_described_child(const DescribedProcess& process, int options = 0);

} // namespace rt::kernel
