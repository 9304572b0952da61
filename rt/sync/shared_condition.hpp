#pragma once
// SharedCondition: a Condition in memory that several processes share.
//
// No process can follow a pointer to another's stack, so in place of Waiters there are slots in the object. A slot's
// word is what one task waits on:
//
//   word        left by
//   free        a task that begins to wait: to waiting, with the next ticket
//   waiting     notify, which takes the waiting slots by their tickets, lowest first: to notified
//               its own task, when the time is over: to free
//   notified    its own task, when it has seen that: to free
//
// All steps but the last are made with the object's own lock held, which is what Condition's list does there: a task
// has its ticket before it frees the lock that it waits with, so no notify that comes later misses it; notify(n)
// chooses the n tasks that have waited longest, and one that comes later has a higher ticket; a task whose time is over
// either frees its slot before a notify looks, which then takes the next, or finds itself notified and says so. Nothing
// else ends a wait.
//
// A process that is killed while it waits leaves a slot that can be notified in vain, and one that is killed inside one
// of these methods leaves the object's lock taken: then the others report a dead lock or wait.

#include <rt/base/result.hpp>
#include <rt/sync/lock.hpp>

namespace rt {

class SharedCondition {
 public:
  /// So many tasks of all processes can wait at the same time; one more ends its program with a message.
  static constexpr unsigned most_waiters = 128;

  constexpr SharedCondition() = default;
  SharedCondition(const SharedCondition&) = delete;
  SharedCondition& operator=(const SharedCondition&) = delete;

  /// As Condition's, for a SharedLock, a SharedRLock, a std::unique_lock of one of them, or any other Lockable that all
  /// the processes see.
  template <class L> void wait(L& lock) { (void)wait_until(lock, Deadline::no_matter_what()); }
  template <class L, class Predicate> void wait(L& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }
  template <class L, class Rep, class Period>
  [[nodiscard]] Result<void> wait_for(L& lock, std::chrono::duration<Rep, Period> timeout) {
    return wait_until(lock, Deadline::after(timeout));
  }
  template <class L, class Rep, class Period, class Predicate>
  bool wait_for(L& lock, std::chrono::duration<Rep, Period> timeout, Predicate predicate) {
    const Deadline deadline = Deadline::after(timeout);
    while (!predicate())
      if (!wait_until(lock, deadline)) return predicate();
    return true;
  }

  void notify_one() { notify(1); }
  void notify(unsigned n);
  void notify_all() { notify(~0u); }

 private:
  struct Slot {
    Word word = free;
    std::uint64_t ticket = 0;
  };
  static constexpr std::uint32_t free = 0, waiting = 1, notified = 2;

  template <class L> Result<void> wait_until(L& lock, Deadline deadline) {
    if constexpr (requires { lock.lock_again(lock.unlock_all()); }) {
      Slot& slot = take_slot();
      const unsigned depth = lock.unlock_all();
      const Result<void> result = await(slot, deadline);
      lock.lock_again(depth);
      return result;
    } else if constexpr (requires { *lock.mutex(); }) {
      return wait_until(*lock.mutex(), deadline); // the std::unique_lock owns it before and after
    } else {
      Slot& slot = take_slot();
      lock.unlock();
      const Result<void> result = await(slot, deadline);
      lock.lock();
      return result;
    }
  }

  Slot& take_slot();
  Result<void> await(Slot& slot, Deadline deadline);

  SharedLock lock_;
  std::uint64_t next_ticket_ = 0;
  Slot slots_[most_waiters];
};

} // namespace rt
