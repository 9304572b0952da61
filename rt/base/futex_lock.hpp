#pragma once
// FutexLock: the runtime's own lock for short critical sections below rt/sync (heap, tables, registries).
//
// One 32-bit word, as the third mutex of U. Drepper, "Futexes Are Tricky":
//
//   state       meaning                       left by
//   free        nobody holds it               lock: to held;  a thread that has waited: to contended
//   held        held, nobody sleeps           unlock: to free;  a thread that is going to sleep: to contended
//   contended   held, somebody may sleep      unlock: to free, and wakes one sleeper
//
// No wake-up is lost: a thread sleeps only if the word still is `contended` when the kernel looks, so the unlock that
// would wake it is yet to come, and that unlock finds `contended`. A thread that was woken, or that was about to sleep,
// takes the lock as `contended`, since it cannot know whether others sleep: at worst one wake-up too many.
//
// Memory orders: taking the lock acquires and giving it back releases, both on the same word, so that a critical
// section sees all that the ones before it wrote; nothing else is ordered by the word.
//
// A waiter spins first, for about as long as a futex call takes, and only while nobody sleeps: who came earlier goes
// first. There is no owner: a child process that was cloned while a thread held the lock may unlock it.

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <linux/futex.h>

#include <cstdint>
#include <rt/base/atomic.hpp>

namespace rt {

/// A lock for a few dozen instructions, between the threads of one process. Not recursive, not fair, knows nothing of
/// fibers: whoever holds it must not block. It can be used by std::lock_guard.
class FutexLock {
 public:
  constexpr FutexLock() = default;
  FutexLock(const FutexLock&) = delete;
  FutexLock& operator=(const FutexLock&) = delete;

  void lock() {
    if (!try_lock()) lock_contended();
  }

  bool try_lock() {
    std::uint32_t expected = free;
    return word_.compare_exchange_strong(expected, held, std::memory_order_acquire, std::memory_order_relaxed);
  }

  void unlock() {
    if (word_.exchange(free, std::memory_order_release) == contended) futex(FUTEX_WAKE_PRIVATE, 1);
  }

  /// In a child process that has only one thread: whoever held the lock is not there. (Memory that nobody has written
  /// to is not written to either: it would have to be copied.)
  void reset() {
    if (word_.load(std::memory_order_relaxed) != free) word_.store(free, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t free = 0, held = 1, contended = 2;
  static constexpr int spins = 100;

  [[gnu::noinline]] void lock_contended() {
    for (int spin = 0; spin < spins; ++spin) {
      const std::uint32_t state = word_.load(std::memory_order_relaxed);
      if (state == contended) break;
      if (state == free && try_lock()) return;
      arch::pause();
    }
    while (word_.exchange(contended, std::memory_order_acquire) != free) futex(FUTEX_WAIT_PRIVATE, contended);
  }

  // Errors need no handling: the word had changed, a signal came, or nobody slept.
  [[gnu::noinline]] void futex(int operation, std::uint32_t value) {
    arch::syscall(__NR_futex, reinterpret_cast<long>(&word_), operation, static_cast<long>(value), 0);
  }

  Atomic<std::uint32_t> word_ = free;
};

static_assert(sizeof(Atomic<std::uint32_t>) == 4, "futex(2) looks at 32 bits");

} // namespace rt
