#pragma once
// RLock: a Lock that its owner may take again (Python's threading.RLock).
//
// The owner is in the lock's word; how many times it holds the lock is a plain number beside it, which only the owner
// reads and writes. Only the task itself can put its id into the word, so if it reads its own id there, it does hold
// the lock, however old the value read.

#include <rt/base/panic.hpp>
#include <rt/sync/lock.hpp>

namespace rt {

template <class Scope> class BasicRLock {
 public:
  constexpr BasicRLock() = default;

  void lock() {
    if (!take_again()) {
      lock_.lock();
      depth_ = 1;
    }
  }
  bool try_lock() {
    if (take_again()) return true;
    if (!lock_.try_lock()) return false;
    depth_ = 1;
    return true;
  }
  /// Takes the lock within the time. timed_out.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> try_lock_for(std::chrono::duration<Rep, Period> timeout) {
    if (take_again()) return {};
    const Result<void> result = lock_.try_lock_for(timeout);
    if (result.ok()) depth_ = 1;
    return result;
  }

  /// Undoes one lock(); the last one frees the lock. Panics if the caller does not hold it.
  void unlock() {
    require_held();
    if (--depth_ == 0) lock_.unlock();
  }

  bool locked() const { return lock_.locked(); }
  bool held() const { return lock_.held(); }

  /// How many times the calling task holds the lock; 0 if another task or nobody does.
  unsigned depth() const { return held() ? depth_ : 0; }

  /// Frees the lock however often it was taken, and takes it back as often: for Condition::wait.
  unsigned unlock_all() {
    require_held();
    const unsigned depth = std::exchange(depth_, 0);
    lock_.unlock();
    return depth;
  }
  void lock_again(unsigned depth) {
    lock_.lock();
    depth_ = depth;
  }

 private:
  bool take_again() {
    if (!held()) return false;
    if (++depth_ == 0) panic("an RLock was taken 4294967296 times without an unlock");
    return true;
  }
  void require_held() const {
    if (!held()) [[unlikely]]
      panic("unlock of an RLock by a task that does not hold it: the task that locked it has to unlock it");
  }

  BasicLock<Scope> lock_;
  unsigned depth_ = 0;
};

using RLock = BasicRLock<PrivateScope>;
using SharedRLock = BasicRLock<SharedScope>;

} // namespace rt
