#pragma once
// SharedCondition: a Condition in memory that several processes share.
//
// No process can follow a pointer to another's stack, so in place of Waiters there are slots in the object. A slot has
// an owner, the task that waits in it (rt/sync/robust.hpp), and a word that this task waits on:
//
//   word        left by
//   waiting     notify, which takes the waiting slots by their tickets, lowest first: to notified
//               its own task, when the time is over: to over
//   notified    its own task, which gives the slot back when it has its lock again
//   over        the same
//
// All steps but the last are made with the object's own lock held, which is what Condition's list does there: a task
// has its ticket before it frees the lock that it waits with, so no notify that comes later misses it; notify(n)
// chooses the n tasks that have waited longest, and one that comes later has a higher ticket; a task whose time is over
// either marks its slot before a notify looks, which then takes the next, or finds itself notified and says so. Nothing
// else ends a wait, but for the death of another:
//
// A process that is killed while it waits leaves a slot whose owner is dead: it counts no more. One that is killed when
// it was notified and does not have its lock yet can do nothing with the notification: whoever holds the object's lock
// next, a waiter that looks again at the latest, passes it on to the one that has waited longest. Who is killed inside
// one of these methods leaves the object's lock to the next (rt/sync/shared_lock.hpp), and nothing half done: a slot is
// waiting from the step that gives it an owner, which comes last, and notified from one store.

#include <rt/base/result.hpp>
#include <rt/sync/shared_lock.hpp>

#include <type_traits>

namespace rt {

class SharedCondition {
 public:
  /// So many tasks of all processes can wait at the same time; one more ends its program with a message.
  static constexpr unsigned most_waiters = 128;

  constexpr SharedCondition() = default;
  SharedCondition(const SharedCondition&) = delete;
  SharedCondition& operator=(const SharedCondition&) = delete;

  /// As Condition's, for a SharedLock, a SharedRLock, a std::unique_lock of one of them, or any other Lockable that all
  /// the processes see. owner_died: what the lock said when it was taken again, and the caller holds it.
  template <class L> Result<void> wait(L& lock) { return wait_until(lock, Deadline::no_matter_what()); }
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
    while (!predicate()) {
      const Result<void> waited = wait_until(lock, deadline);
      if (!waited && waited.error() != Errc::owner_died) return predicate();
    }
    return true;
  }

  void notify_one() { notify(1); }
  void notify(unsigned n);
  void notify_all() { notify(~0u); }

 private:
  struct Slot {
    RobustWord waiter;
    Word word = over;
    std::uint64_t ticket = 0;

    bool waits() const { return waiter.has_owner() && word.load(std::memory_order_relaxed) == waiting; }
  };
  static constexpr std::uint32_t over = 0, waiting = 1, notified = 2;

  template <class L> Result<void> wait_until(L& lock, Deadline deadline) {
    if constexpr (requires { lock.lock_again(lock.unlock_all()); }) {
      unsigned depth = 0;
      return wait_between(
          deadline, [&] { depth = lock.unlock_all(); }, [&] { return lock.lock_again(depth); });
    } else if constexpr (requires { *lock.mutex(); }) {
      return wait_until(*lock.mutex(), deadline); // the std::unique_lock owns it before and after
    } else {
      return wait_between(
          deadline, [&] { lock.unlock(); }, [&] { return lock.lock(); });
    }
  }

  template <class Unlock, class LockAgain>
  Result<void> wait_between(Deadline deadline, Unlock unlock, LockAgain lock_again) {
    Slot& slot = take_slot();
    unlock();
    Result<void> result = await(slot, deadline);
    if constexpr (std::is_void_v<decltype(lock_again())>)
      lock_again();
    else if (const Result<void> locked = lock_again(); result.ok())
      result = locked;
    slot.waiter.give_back();
    return result;
  }

  Slot& take_slot();
  Result<void> await(Slot& slot, Deadline deadline);
  void bury_dead();
  void notify_first();

  SharedLock lock_;
  unsigned used_ = 0; // slots from here on have never been
  std::uint64_t next_ticket_ = 0;
  Slot slots_[most_waiters];
};

} // namespace rt
