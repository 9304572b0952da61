#include <rt/sync/lock.hpp>

#include <rt/base/panic.hpp>
#include <rt/base/registry.hpp>
#include <rt/sync/backoff.hpp>
#include <rt/sync/deadlock.hpp>

namespace rt {

bool Lock::try_lock_as_new_task() {
  adopt_current_thread();
  return try_lock();
}

Result<void> Lock::lock_contended(Deadline deadline) {
  Task& task = current_task();
  const TaskId id = task.id;
  task.lock_waits.store(task.lock_waits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  for (int pauses = backoff::first; pauses <= backoff::last; pauses *= 2) {
    if (word == 0 && word_.compare_exchange_strong(word, id, std::memory_order_acquire, std::memory_order_relaxed))
      return {};
    if (owner_of(word) == id) {
      if (deadline.interruptible()) return Errc::deadlock;
      report_relock(word_);
    }
    if (word & waiters) break;
    backoff::look_away(pauses);
    word = word_.load(std::memory_order_relaxed);
  }

  register_current_task();
  for (;;) {
    word = word_.load(std::memory_order_relaxed);
    if (word == 0) {
      if (word_.compare_exchange_weak(word, id | waiters, std::memory_order_acquire, std::memory_order_relaxed))
        return {};
      continue;
    }
    if (!(word & waiters) && !word_.compare_exchange_weak(word, word | waiters, std::memory_order_relaxed)) continue;
    const bool detectable = !deadline.interruptible();
    if (detectable) task.lock.store(&word_, std::memory_order_relaxed);
    const Waited waited = PrivateScope::wait_on(word_, word | waiters, deadline, detectable ? report_cycle : nullptr);
    if (detectable) task.lock.store(nullptr, std::memory_order_relaxed);
    if (gave_up(waited)) return error_of(waited);
  }
}

void Lock::unlock_contended(std::uint32_t old) {
  if (owner_of(old) != current_task().id) {
    if (owner_of(old) == 0) panic("unlock of a Lock that nobody holds");
    panic("unlock of a Lock by a task that does not hold it (task {} does): the task that locked it has to unlock it",
          owner_of(old));
  }
  PrivateScope::wake(word_, 1);
}

} // namespace rt
