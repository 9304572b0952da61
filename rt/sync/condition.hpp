#pragma once
// Condition: tasks wait, with a lock given back meanwhile, until another says that something has changed (Python's
// threading.Condition; C. A. R. Hoare's monitors in the Mesa variant).
//
// A FIFO of Waiters, which lie on the stacks of the tasks that wait. A Waiter is
//
//   listed     from before its task frees the lock    left by  notify: taken out, then unparked
//                                                              its own task, when the time is over: taken out
//   notified   no longer in the list, unparked, or about to be: final
//
// No wake-up is lost: a task is in the list before it frees the lock, so whoever takes the lock after it, changes what
// the task waits for and calls notify finds it there. Whether the task has come to rest by then is the Waiter's matter.
//
// No wake-up goes astray: notify(n) takes the first n out of the list, and these n return, because each waits on a word
// of its own. A task that begins to wait afterwards is behind them and has no part in it. Nothing else ends a wait, so
// there are no spurious wake-ups: without a time limit, a wait that returns was notified.
//
// A time limit that passes at the moment of a notify: both take the Waiter out of the list with the list locked, so one
// of them is first. If notify was, the wait counts as notified, and if not, notify has found the next in the list.
//
// The Condition may be destroyed when all who wait have been notified, even if they have not returned yet: notify has
// let go of the list before it unparks, and a task that was notified touches only its own Waiter. unpark touches
// nothing of the Waiter after its exchange, which may end the Waiter's life; the next one is read before.
//
// Memory orders: the list is protected by its lock; what was done before notify is seen after wait both through the
// Waiter (unpark releases, park acquires) and through the lock that both sides hold.

#include <rt/base/futex_lock.hpp>
#include <rt/base/result.hpp>
#include <rt/sync/waiter.hpp>

namespace rt {

class Condition {
 public:
  constexpr Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Frees the lock, blocks until notified, and takes the lock again. The caller must hold it: a Lock, an RLock, which
  /// is freed however often it was taken, a std::unique_lock of one of them, or any other Lockable.
  template <class L> void wait(L& lock) { (void)wait_until(lock, Deadline::no_matter_what()); }

  /// Waits until the predicate, which is called with the lock held, is true. Returns at once if it is.
  template <class L, class Predicate> void wait(L& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }

  /// The same as wait(lock) for a limited time, taking the lock back not included. timed_out, with the lock held.
  template <class L, class Rep, class Period>
  [[nodiscard]] Result<void> wait_for(L& lock, std::chrono::duration<Rep, Period> timeout) {
    return wait_until(lock, Deadline::after(timeout));
  }

  /// Waits until the predicate is true or the time is over; returns what the predicate says in the end.
  template <class L, class Rep, class Period, class Predicate>
  bool wait_for(L& lock, std::chrono::duration<Rep, Period> timeout, Predicate predicate) {
    const Deadline deadline = Deadline::after(timeout);
    while (!predicate())
      if (!wait_until(lock, deadline)) return predicate();
    return true;
  }

  /// Ends the wait of the task that has waited longest.
  void notify_one() { notify(1); }
  /// Ends the wait of the first n tasks, or of all if there are fewer. Hold the lock, or have changed what they wait
  /// for with the lock held.
  void notify(unsigned n);
  /// Ends the wait of all who wait now.
  void notify_all() { notify(~0u); }

 private:
  template <class L> Result<void> wait_until(L& lock, Deadline deadline) {
    if constexpr (requires { lock.lock_again(lock.unlock_all()); }) {
      return wait_between(
          deadline, [&] { return lock.unlock_all(); }, [&](unsigned depth) { lock.lock_again(depth); });
    } else if constexpr (requires { *lock.mutex(); }) {
      return wait_until(*lock.mutex(), deadline); // the std::unique_lock owns it before and after
    } else {
      return wait_between(
          deadline, [&] { return lock.unlock(), 0; }, [&](int) { lock.lock(); });
    }
  }

  template <class Unlock, class LockAgain>
  Result<void> wait_between(Deadline deadline, Unlock unlock, LockAgain lock_again) {
    Waiter waiter{Waiter::Running()}; // until the lock, which may be any, has been freed
    enlist(waiter);
    const auto depth = unlock();
    const Parked parked = await(waiter, deadline);
    lock_again(depth);
    return parked == Parked::unparked ? Result<void>{} : error_of(parked);
  }

  void enlist(Waiter& waiter);
  Parked await(Waiter& waiter, Deadline deadline);

  FutexLock list_lock_;
  WaiterList waiters_;
};

} // namespace rt
