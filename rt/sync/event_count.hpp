#pragma once
// EventCount: lets tasks sleep on a condition of a lock-free structure, at the cost of one load where nobody sleeps.
// WakeChain: the part of it that a structure under a lock of its own uses directly.
//
// Wake-ups go one by one: while one is under way no other is given, so that a burst of events makes one system call.
// Whoever was woken ends that state (`leave`), looks at the structure, and before it goes on wakes the next if there
// is more to do: a chain, which stops where nothing is left to do or nobody waits.
//
//   armed   what `notify_one` looks at: somebody waits, and no wake-up is under way
//
//   waiter     enter: into the list, arms;  looks at its condition;  park;
//              leave: out of the list, re-arms;  looks again
//   notifier   makes the condition true;  if armed: takes the first waiter out of the list, disarms, unparks it
//
// No wake-up is lost. What makes a condition true, what looks at it, and all accesses to `armed` are seq_cst
// operations, so they have one order on which all agree (no CPU needs to be strong for that; the compiler inserts the
// barriers).
//   - A waiter that looked too early entered before the notifier's event, and the notifier's load of `armed` comes
//     after that event: it sees armed, or not armed because a wake-up was under way; whoever gets that one looks later
//     than the event, since it re-arms first, and passes the wake-up on.
//   - A waiter whose time is over and that is still listed takes itself out: it has had no wake-up. One that is no
//     longer listed has had one, and does with it what all do: re-arms, looks, passes it on.
//
// A fiber lets the others of its hub run before it enters, unless somebody waits already: the one that is to make the
// condition true is often among them, and then neither of the two pays for a wait. It has not entered by then, so no
// wake-up can be meant for it, and what it does afterwards is what one does that comes only then.

#include <rt/base/futex_lock.hpp>
#include <rt/sync/waiter.hpp>

namespace rt {

/// Waiters that are woken one by one. Its user locks it.
class WakeChain {
 public:
  constexpr WakeChain() = default;

  bool armed() const { return !under_way_ && !waiters_.empty(); }

  void enter(Waiter& waiter) { waiters_.push_back(waiter); }

  /// The waiter to unpark, out of the list; nullptr if there is none or a wake-up is under way.
  Waiter* take() {
    if (!armed()) return nullptr;
    under_way_ = true;
    Waiter* first = waiters_.front();
    waiters_.remove(*first);
    return first;
  }

  /// All of them, linked by `next`.
  Waiter* take_all() {
    Waiter* first = waiters_.front();
    for (Waiter* waiter = first; waiter; waiter = waiter->next) waiter->listed = false;
    waiters_ = WaiterList();
    return first;
  }

  /// Ends the caller's waiting. True: it was woken (its unpark may still be on its way).
  bool leave(Waiter& waiter) {
    if (waiter.listed) {
      waiters_.remove(waiter);
      return false;
    }
    under_way_ = false;
    return true;
  }

 private:
  WaiterList waiters_;
  bool under_way_ = false;
};

/// Unparks what WakeChain::take or take_all returned.
void unpark_all(Waiter* first);

class alignas(arch::cache_line) EventCount {
 public:
  constexpr EventCount() = default;

  /// To be called after a seq_cst change that makes the condition true for one waiter.
  void notify_one() {
    if (armed_.load(std::memory_order_seq_cst)) [[unlikely]]
      wake_one();
  }

  /// The same for all that wait.
  void notify_all() {
    if (armed_.load(std::memory_order_seq_cst)) [[unlikely]]
      wake_all();
  }

  /// notify_all for a change after which the structure's own accesses need not be seq_cst.
  void wake_all();

  /// Blocks until `look` returns true or a notification (both `unparked`), the deadline or a cancel. In any case the
  /// caller has to look again, and to call notify_one() if it leaves something to do for others.
  template <class Look> Parked wait(Deadline deadline, Look look) {
    if (!armed_.load(std::memory_order_relaxed) && hub::let_others_run() && look()) return Parked::unparked;
    Waiter waiter;
    enter(waiter);
    if (!look()) return park(waiter, deadline);
    cancel(waiter);
    return Parked::unparked;
  }

 private:
  void enter(Waiter& waiter);
  Parked park(Waiter& waiter, Deadline deadline);
  void cancel(Waiter& waiter);
  bool leave(Waiter& waiter);
  void wake_one();

  Atomic<std::uint32_t> armed_ = 0;
  FutexLock lock_; // of the chain, and of changes of armed_
  WakeChain chain_;
};

} // namespace rt
