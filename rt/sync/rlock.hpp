#pragma once
// RLock: a Lock that its owner may take again (Python's threading.RLock); SharedRLock: the same between processes.
//
// The owner is in the lock's word; how many times it holds the lock is a plain number beside it, which only the owner
// reads and writes. Only the task itself can put its id into the word, so if it reads its own id there, it does hold
// the lock, however old the value read. What a dead owner of a SharedRLock has left in the number is overwritten by
// the next one.

#include <rt/base/panic.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/shared_lock.hpp>

#include <type_traits>
#include <utility>

namespace rt {

template <class L> class BasicRLock {
 public:
  constexpr BasicRLock() = default;

  /// As the lock's own: a SharedRLock returns owner_died, with the first lock() of several.
  using Outcome = decltype(std::declval<L&>().lock());

  Outcome lock() {
    if (take_again()) return Outcome();
    return take(1);
  }
  bool try_lock() {
    if (take_again()) return true;
    if (!lock_.try_lock()) return false;
    depth_ = 1;
    return true;
  }
  /// Takes the lock within the time. timed_out; and what the lock's own returns.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> try_lock_for(std::chrono::duration<Rep, Period> timeout) {
    if (take_again()) return {};
    const Result<void> result = lock_.try_lock_for(timeout);
    if (result.ok() || result.error() == Errc::owner_died) depth_ = 1;
    return result;
  }

  /// Undoes one lock(); the last one frees the lock. Panics if the caller does not hold it.
  void unlock() {
    require_held();
    if (--depth_ == 0) lock_.unlock();
  }

  bool locked() const { return lock_.locked(); }
  bool held() const { return lock_.held(); }
  /// Of a SharedRLock that the caller holds: whether its last owner died holding it.
  bool owner_died() const requires requires(const L& lock) { lock.owner_died(); }
  { return lock_.owner_died(); }

  /// How many times the calling task holds the lock; 0 if another task or nobody does.
  unsigned depth() const { return held() ? depth_ : 0; }

  /// Frees the lock however often it was taken, and takes it back as often: for Condition::wait.
  unsigned unlock_all() {
    require_held();
    const unsigned depth = std::exchange(depth_, 0);
    lock_.unlock();
    return depth;
  }
  Outcome lock_again(unsigned depth) { return take(depth); }

 private:
  Outcome take(unsigned depth) {
    if constexpr (std::is_void_v<Outcome>) {
      lock_.lock();
      depth_ = depth;
    } else {
      const Outcome outcome = lock_.lock();
      depth_ = depth;
      return outcome;
    }
  }
  bool take_again() {
    if (!held()) return false;
    if (++depth_ == 0) panic("an RLock was taken 4294967296 times without an unlock");
    return true;
  }
  void require_held() const {
    if (!held()) [[unlikely]]
      panic("unlock of an RLock by a task that does not hold it: the task that locked it has to unlock it");
  }

  L lock_;
  unsigned depth_ = 0;
};

using RLock = BasicRLock<Lock>;
using SharedRLock = BasicRLock<SharedLock>;

} // namespace rt
