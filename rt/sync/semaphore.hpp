#pragma once
// Semaphore: a count of permits (Python's threading.Semaphore and BoundedSemaphore, Dijkstra's P and V).
//
// One 64-bit word, so that both numbers change together:
//
//   bits 0-31    permits; what waiters block on (the lower half, which is first in memory on all CPUs here)
//   bits 32-63   tasks that wait or are about to
//
//   acquire   permits > 0:  takes one.  Else: adds itself to the waiters, blocks while there are 0 permits, and takes a
//             permit and itself out of the waiters in one step.
//   release   adds n permits, and in the same step learns whether there are waiters; if so, it wakes n.
//
// No wake-up is lost: a waiter is counted before it looks at the permits for the last time. Either it sees the permits
// of a release, or that release comes later in the word's order of changes and sees the waiter. A permit belongs to
// nobody while it is in the word: a waiter whose time is over only takes itself out, and what it was woken for, if it
// was, is still there for the next.
//
// It may be destroyed as soon as the last acquire has returned: release touches only the address after its one step.
//
// Memory orders: release releases, acquire acquires: what was done before a permit was given is seen by who gets it.

#include <rt/base/result.hpp>
#include <rt/sync/wait.hpp>

namespace rt {

template <class Scope> class BasicSemaphore {
 public:
  static constexpr unsigned most_permits = 0x7fffffff;

  constexpr explicit BasicSemaphore(unsigned initial = 1) : word_(initial) {}
  BasicSemaphore(const BasicSemaphore&) = delete;
  BasicSemaphore& operator=(const BasicSemaphore&) = delete;

  /// Takes a permit, waiting until there is one.
  void acquire() {
    if (!try_acquire()) acquire_contended(Deadline::no_matter_what());
  }

  /// Takes a permit if there is one.
  bool try_acquire() {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    while (permits(word) > 0)
      if (word_.compare_exchange_weak(word, word - 1, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Takes a permit within the time. timed_out.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> try_acquire_for(std::chrono::duration<Rep, Period> timeout) {
    return try_acquire() ? Result<void>{} : acquire_contended(Deadline::after(timeout));
  }

  /// Gives n permits back. Panics if there would be more than most_permits.
  void release(unsigned n = 1) { release_within(most_permits, n).value(); }

  /// The permits at the moment.
  unsigned value() const { return permits(word_.load(std::memory_order_relaxed)); }

 protected:
  /// over_released, and nothing has changed, if there would be more than `most` permits.
  Result<void> release_within(unsigned most, unsigned n) {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    do {
      if (n > most || permits(word) > most - n) [[unlikely]]
        return Errc::over_released;
    } while (!word_.compare_exchange_weak(word, word + n, std::memory_order_release, std::memory_order_relaxed));
    if (word / one_waiter != 0) Scope::wake(permits_, n);
    return {};
  }

 private:
  static constexpr std::uint64_t one_waiter = std::uint64_t{1} << 32;
  static unsigned permits(std::uint64_t word) { return static_cast<unsigned>(word); }

  Result<void> acquire_contended(Deadline deadline);

  union {
    Atomic<std::uint64_t> word_;
    Word permits_; // its lower half, for futex(2)
  };
};

extern template class BasicSemaphore<PrivateScope>;
extern template class BasicSemaphore<SharedScope>;

using Semaphore = BasicSemaphore<PrivateScope>;
using SharedSemaphore = BasicSemaphore<SharedScope>;

/// A Semaphore whose permits never exceed the initial ones. (Between processes: rt/sync/shared_bounded_semaphore.hpp.)
class BoundedSemaphore : public Semaphore {
 public:
  constexpr explicit BoundedSemaphore(unsigned initial = 1) : Semaphore(initial), initial_(initial) {}

  /// over_released, and nothing has changed, if there would be more permits than at the beginning.
  [[nodiscard]] Result<void> release(unsigned n = 1) { return release_within(initial_, n); }

 private:
  unsigned initial_;
};

} // namespace rt
