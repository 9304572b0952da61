#pragma once
// Waiter: the one place where a task stops and is made to go on. It lies on the stack of the task that waits.
//
//   state      meaning                          left by
//   waiting    parked, or about to be; spins    unpark: to notified;  the owner, when it goes to sleep: to sleeping
//   sleeping   in futex(2)                      unpark: to notified, and wakes it
//   notified   unpark was called                final
//
// No wake-up is lost: the owner sleeps only while the word is `sleeping` (the kernel compares), and only unpark changes
// that. unpark's exchange releases and park's reads acquire, so what was done before unpark is seen after park.
//
// Whoever calls unpark must have taken the Waiter out of the list where it found it, so that it is called once. It
// touches nothing of the Waiter after the exchange but its address, which futex(2) uses as a key: the owner may have
// gone on and left the stack frame. A stray futex wake-up at that address is a spurious one to whoever sleeps there,
// and everybody who sleeps looks at his word again.

#include <rt/kernel/clock.hpp>

#include <cstdint>
#include <rt/base/atomic.hpp>

namespace rt {

class Waiter {
 public:
  /// What to do when a task has been parked for some time, once: the dead-lock detector's moment.
  using LongWait = void(const Atomic<std::uint32_t>& word);

  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Blocks the calling task until unpark or the deadline; true: unparked. After false the caller takes the Waiter out
  /// of its list; if somebody else has done so already, unpark is on its way, and it must call await_unpark().
  bool park(Deadline deadline, LongWait* long_wait = nullptr, const Atomic<std::uint32_t>* word = nullptr);
  void await_unpark() { park(Deadline{}); }

  void unpark();

  // The list that the waiter is in, and what it waits for: for whoever keeps the list.
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  const Atomic<std::uint32_t>* key = nullptr;
  bool listed = false;

 private:
  static constexpr std::uint32_t waiting = 0, sleeping = 1, notified = 2;

  bool spin();

  Atomic<std::uint32_t> state_ = waiting;
};

/// How long a task that is to block looks for a wake-up before it sleeps; 0: not at all. The default is a few
/// microseconds, less than falling asleep and waking costs, and 0 on a machine with one CPU.
void set_spin_time(std::chrono::nanoseconds time);

/// A FIFO of Waiters on their owners' stacks. Its user locks it.
class WaiterList {
 public:
  constexpr WaiterList() = default;

  bool empty() const { return head_ == nullptr; }
  Waiter* front() const { return head_; }
  void push_back(Waiter& waiter) {
    waiter.next = nullptr;
    waiter.previous = tail_;
    (tail_ ? tail_->next : head_) = &waiter;
    tail_ = &waiter;
    waiter.listed = true;
  }
  void remove(Waiter& waiter) {
    (waiter.previous ? waiter.previous->next : head_) = waiter.next;
    (waiter.next ? waiter.next->previous : tail_) = waiter.previous;
    waiter.listed = false;
  }

 private:
  Waiter* head_ = nullptr;
  Waiter* tail_ = nullptr;
};

} // namespace rt
