#include <rt/sync/shared_lock.hpp>

#include <rt/base/panic.hpp>
#include <rt/sync/backoff.hpp>
#include <rt/sync/deadlock.hpp>

namespace rt {

Result<void> SharedLock::lock_contended(Deadline deadline) {
  if (owner_.owned()) {
    if (deadline.interruptible()) return Errc::deadlock;
    report_relock(owner_.word());
  }
  for (int pauses = backoff::first; pauses <= backoff::last; pauses *= 2) {
    if (try_lock()) return outcome();
    if (owner_.load() & RobustWord::waiters) break;
    backoff::look_away(pauses);
  }
  constexpr std::uint32_t waiters = RobustWord::waiters;
  for (;;) {
    std::uint32_t word = owner_.load();
    if (RobustWord::owner_of(word) == 0) {
      if (take(word, waiters)) return outcome();
      continue;
    }
    if (!(word & waiters) && !owner_.word().compare_exchange_weak(word, word | waiters, std::memory_order_relaxed))
      continue;
    const Waited waited = SharedScope::wait_on(owner_.word(), word | waiters, deadline);
    if (gave_up(waited)) return error_of(waited);
  }
}

void SharedLock::panic_on_unlock() const {
  const TaskId owner = RobustWord::owner_of(owner_.load());
  if (owner == 0) panic("unlock of a SharedLock that nobody holds");
  panic("unlock of a SharedLock by a task that does not hold it (one of thread {} does): the task that locked it has "
        "to unlock it",
        owner);
}

} // namespace rt
