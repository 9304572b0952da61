#pragma once
// Waiting for several descriptors: blocks the thread, or only the fiber when called in one.

#include <rt/base/task.hpp>
#include <rt/io/fd.hpp>
#include <rt/sync/waiter.hpp>

#include <span>

namespace rt {

/// poll(2) for a task: waits until one of the descriptors is ready or the deadline has passed, and returns how many are
/// ready; 0: none. timed_out: the task's Timeout was over first; canceled.
[[nodiscard]] Result<unsigned> wait_for_several(std::span<kernel::Polled> descriptors, Deadline deadline);

namespace selecting {

/// Calls look(deadline), which looks for ready descriptors, waiting until the deadline, and returns how many there are.
/// In a fiber it is told not to wait, and suspend(deadline) suspends the fiber until it is worth to look again.
template <class Look, class Suspend> Result<unsigned> look_or_suspend(Deadline deadline, Look look, Suspend suspend) {
  const Deadline limited = deadline.limited_to(current_task().limit);
  for (;;) {
    const bool in_fiber = hub::running_flow != nullptr;
    const Result<unsigned> found = look(in_fiber ? Deadline::at(0) : limited);
    if (!found && found.error() == Errc::interrupted) continue;
    if (!found || *found > 0 || deadline.passed()) return found;
    if (limited.passed()) return Errc::timed_out;
    if (!in_fiber) continue;
    const Result<void> suspended = suspend(limited);
    if (!suspended && suspended.error() != Errc::timed_out) return suspended.error();
  }
}

/// What a fiber sleeps on that waits for several descriptors: an epoll set of them, made when it is needed.
class WaitingSet {
 public:
  /// Waits until something happens to one of the descriptors, or has happened since the last call.
  Result<void> wait(std::span<const kernel::Polled> descriptors, Deadline deadline);

 private:
  Result<void> fill(std::span<const kernel::Polled> descriptors);

  Fd epoll_;
};

} // namespace selecting
} // namespace rt
