#pragma once
// What of a process's beginning and end differs between the profiles.

#include <rt/base/hook.hpp>
#include <rt/kernel/pidfd.hpp>

namespace rt::processing {

/// kernel::fork_quietly, between the phases of the fork hooks; those of the parent are still to be run.
Result<kernel::DescribedProcess> native_fork(unsigned long flags);

/// A new process that calls become(argument), which executes a program or returns the reason why it cannot; that is
/// stored in `failure`, and the process ends. Returns when either has happened. The new process may share the caller's
/// memory, and may run on a small stack.
Result<kernel::DescribedProcess> native_vfork(unsigned long flags, Errc (*become)(const void* argument),
                                              const void* argument, Errc& failure);

/// Runs what linked features of the runtime want done when a process is started (RT_AT_FORK, RT_IN_FORKED).
void run_fork_hooks(ForkPhase phase);

/// Ends a process that was started by fork: threads and processes that it has started are joined, and what it has
/// registered for its end is done, but nothing that its parent registered.
[[noreturn]] void native_exit(int code);

} // namespace rt::processing
