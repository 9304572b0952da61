#pragma once
// SharedLock: a Lock in memory that several processes share, and that the death of its owner does not leave taken.
//
// The word is a RobustWord (rt/sync/robust.hpp); its states and steps are a Lock's, with the thread's id in place of
// the task's, and one state more:
//
//   word            left by
//   died            the owner died holding it, the kernel has woken a waiter: lock: to `id`, and the new owner is told
//   died | waiters  the same: to `id | waiters`
//
// That no wake-up is lost is argued in rt/sync/lock.hpp as long as nobody is killed. A process that is killed after it
// was woken and before it has taken the lock, or after it has freed the lock and before it has woken anybody, takes a
// wake-up along: in the second case the kernel wakes in its place, and in the first one the others find the lock free
// when they look again, after SharedScope::longest_sleep at most.
//
// A thread that ends, or a process that executes another program, without having freed the lock, is a dead owner too.
// A fiber's lock is its thread's in this respect: it is given on when the thread ends.

#include <rt/base/result.hpp>
#include <rt/sync/robust.hpp>
#include <rt/sync/wait.hpp>

namespace rt {

class SharedLock {
 public:
  constexpr SharedLock() = default;
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  /// Takes the lock, waiting as long as it takes. The lock is the caller's in any case. owner_died: it was freed by the
  /// death of its last owner, who may have left what it protects half changed. (std::lock_guard does not look: ask
  /// owner_died().) A task that takes a lock that it holds is reported as a dead lock.
  Result<void> lock() {
    if (!try_lock()) [[unlikely]]
      return lock_contended(Deadline::no_matter_what());
    return outcome();
  }

  /// Takes the lock if it is free; owner_died() tells how it has become so.
  bool try_lock() {
    std::uint32_t word = owner_.load();
    return RobustWord::owner_of(word) == 0 && take(word, word & RobustWord::waiters);
  }

  /// Takes the lock within the time. owner_died: the lock is the caller's, as with lock(). timed_out, canceled, and
  /// deadlock if the caller holds it already: it is not.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> try_lock_for(std::chrono::duration<Rep, Period> timeout) {
    if (try_lock()) return outcome();
    return lock_contended(Deadline::after(timeout));
  }

  /// Frees the lock. Panics if the caller does not hold it.
  void unlock() {
    if (!owner_.owned()) [[unlikely]]
      panic_on_unlock();
    owner_.give_back([](const Word& word) { SharedScope::wake(word, 1); });
  }

  /// Whether somebody holds it at the moment.
  bool locked() const { return owner_.has_owner(); }

  /// Whether the calling task holds it.
  bool held() const { return owner_.owned(); }

  /// Of a lock that the caller holds: whether its last owner died holding it.
  bool owner_died() const { return inherited_; }

 private:
  bool take(std::uint32_t& word, std::uint32_t bits) {
    if (!owner_.take(word, bits)) return false;
    inherited_ = word & RobustWord::died;
    return true;
  }
  Result<void> outcome() const { return inherited_ ? Result<void>(Errc::owner_died) : Result<void>(); }
  Result<void> lock_contended(Deadline deadline);
  [[noreturn]] void panic_on_unlock() const;

  RobustWord owner_;
  bool inherited_ = false;
};

} // namespace rt
