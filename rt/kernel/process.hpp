#pragma once
// Processes: how they begin (clone(2), execve(2)), how their end is learnt (wait4(2)), and to which session, group and
// reaper they belong.

#include <rt/base/result.hpp>
#include <rt/kernel/signal.hpp>

namespace rt::kernel {

/// As seen in the caller's PID namespace. Always positive.
using ProcessId = int;

ProcessId process_id();
ProcessId process_group();

/// Copies the calling process, as fork(2) does, with the calling thread as the copy's only one. The parent gets the
/// child's id, the child 0. `flags` are CLONE_ constants of <linux/sched.h>, of those that need no stack and no pointer
/// (CLONE_NEW…; CLONE_VFORK: the parent goes on when the child has executed a program or ended).
///
/// The child may call what needs no lock and no other thread, until it executes a program.
Result<ProcessId> fork(unsigned long flags = 0);

/// Ends the calling process and no more: exit_group(2), for a child that shares its open files with its parent and must
/// not act as if the program ended.
[[noreturn]] void exit_process(int code);

/// Replaces the program of the calling process; returns the reason if that cannot be. The arrays end with nullptr.
Error execute(const char* path, const char* const* argv, const char* const* environment);

/// The same for a file as execvp(3) finds it: a name without a slash is looked for in the directories of PATH in the
/// environment. The error is that of the file which was found, if there is one.
Error execute_in_path(const char* file, const char* const* argv, const char* const* environment);

/// What happened to a child, as wait4(2) encodes it.
struct ChildStatus {
  int bits = 0;

  constexpr bool exited() const { return low() == 0; }
  constexpr bool killed() const { return low() != 0 && low() != 0x7f; }
  constexpr bool ended() const { return low() != 0x7f; }
  constexpr bool stopped() const { return (bits & 0xff) == 0x7f; }
  constexpr bool continued() const { return bits == 0xffff; }

  /// Of a child that exited: 0 to 255.
  constexpr int exit_code() const { return bits >> 8 & 0xff; }
  /// What killed the child, or stopped it.
  constexpr Signal signal() const { return static_cast<Signal>(killed() ? low() : bits >> 8 & 0xff); }
  /// What a shell calls the exit code of a child that ended: 128 + signal if one killed it.
  constexpr int shell_code() const { return exited() ? exit_code() : 128 + low(); }

 private:
  constexpr int low() const { return bits & 0x7f; }
};

struct ChildChange {
  ProcessId id = 0; ///< 0: nothing has changed
  ChildStatus status;
};

inline constexpr ProcessId any_child = -1;

/// Waits until the child has ended, and reaps it; with a set of WNOHANG, WUNTRACED and WCONTINUED of <linux/wait.h>
/// returns at once, or when it was stopped or continued, too. Errc::no_child_process: there is none (left).
Result<ChildChange> wait_for_child(ProcessId child, int options = 0);

/// Makes the calling process the leader of a new session and of a new process group in it, without a terminal.
Result<void> start_session();

/// Moves a process (0: the caller) to a group of its session, or to a new one that has its own id (group == process).
Result<void> set_process_group(ProcessId process, ProcessId group);

/// From now on, descendants that lose their parent become children of this process, as they do of PID 1.
Result<void> become_subreaper();

/// The kernel sends the signal to this process when its parent ends.
Result<void> signal_at_parent_end(Signal signal);

} // namespace rt::kernel
