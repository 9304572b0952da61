#pragma once
// Lock: mutual exclusion (Python's threading.Lock, C++'s Lockable and, by try_lock_for, TimedLockable in spirit).
//
// One 32-bit word:
//
//   bits 0-29   the owner's task id; 0: free
//   bit  31     somebody may be waiting
//
//   word          left by
//   0             lock: to `id`; a task that has waited: to `id | waiters`
//   id            unlock by its owner: to 0; a task that is going to wait: to `id | waiters`
//   id | waiters  unlock by its owner: to 0, and wakes one waiter
//
// Mutual exclusion: the word leaves 0 only by a compare-exchange to the winner's id, and only the owner makes it 0.
//
// No wake-up is lost: a task waits only while the word still is `id | waiters`, so the unlock to come sees the bit and
// wakes. That unlock clears the bit while others may go on waiting; the one it wakes sets it again, when it takes the
// lock (it cannot know whether others wait) or when it has to wait once more. If it gives up instead, because its time
// is over, it has set the bit just before, and the owner of the moment will wake the next.
//
// The lock is not handed over: whoever comes first after an unlock gets it. Handing over would cost two switches of
// the CPU each time (ten times the throughput and more). A contender spins before it waits, longer and longer between
// two looks, and only while nobody waits. In place of spinning, a fiber lets the others of its hub run, as far as they
// are ready: the owner may be one of them.
//
// Memory orders: the compare-exchange that takes the lock acquires, the exchange that frees it releases.

#include <rt/base/result.hpp>
#include <rt/base/task.hpp>
#include <rt/sync/wait.hpp>

namespace rt {

class Lock {
 public:
  constexpr Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Takes the lock, waiting as long as it takes. A task that takes a Lock that it holds, or that closes a cycle of
  /// tasks which wait for each other, is reported: see on_deadlock().
  void lock() {
    if (!try_lock()) [[unlikely]]
      lock_contended(Deadline::no_matter_what());
  }

  /// Takes the lock if it is free.
  bool try_lock() {
    std::uint32_t expected = 0;
    const TaskId id = current_task_id;
    return id != 0 ? word_.compare_exchange_strong(expected, id, std::memory_order_acquire, std::memory_order_relaxed)
                   : try_lock_as_new_task();
  }

  /// Takes the lock within the time. timed_out; deadlock if the caller holds it already.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> try_lock_for(std::chrono::duration<Rep, Period> timeout) {
    if (try_lock()) return {};
    return lock_contended(Deadline::after(timeout));
  }

  /// Frees the lock. Panics if the caller does not hold it.
  void unlock() {
    const std::uint32_t old = word_.exchange(0, std::memory_order_release);
    if (old != current_task_id || old == 0) [[unlikely]] // a thread that is new here and a free lock have both 0
      unlock_contended(old);
  }

  /// Whether somebody holds it at the moment.
  bool locked() const { return word_.load(std::memory_order_relaxed) != 0; }

  /// Whether the calling task holds it.
  bool held() const { return owner_of(word_.load(std::memory_order_relaxed)) == current_task().id; }

  static constexpr std::uint32_t owner_mask = 0x3fffffff, waiters = 0x80000000;
  static TaskId owner_of(std::uint32_t word) { return word & owner_mask; }

 private:
  bool try_lock_as_new_task();
  Result<void> lock_contended(Deadline deadline);
  void unlock_contended(std::uint32_t old);

  Word word_ = 0;
};

} // namespace rt
