#pragma once
// LockedQueue: a container under a Lock, for the queues that need one: unbounded, last in first out, by priority.
//
// A caller that finds no item, or no space, enters a WakeChain under the same Lock, and looks again after each waiting.
// Before the lock is given back, `settle` sees to this for both chains:
//
//   there is an item and somebody waits for one   =>  a wake-up is under way      (and so for space)
//
// so nobody sleeps beside what it waits for: a wake-up under way is its receiver's, who will take the lock, end that
// state, and settle again when it has got something or given up, whatever woke it and whether or not its time was
// over. Whoever waits for nobody's sake (time over, not woken) takes itself out of the list and leaves no trace.
//
// Waiters are unparked after the lock was given back. Memory orders are the Lock's.

#include <rt/base/result.hpp>
#include <rt/sync/event_count.hpp>
#include <rt/sync/lock.hpp>

#include <mutex>

namespace rt::queue {

/// Store: size(), push(T&&), pop() -> T.
template <class T, class Store> class LockedQueue {
 public:
  template <class... A>
  explicit LockedQueue(std::size_t maxsize, A&&... a) : maxsize_(maxsize), store_(std::forward<A>(a)...) {}

  /// full, closed.
  Result<void> try_put(T&& item) {
    Session session(*this);
    if (closed_) return Errc::closed;
    return put_if_space(item) ? Result<void>{} : Errc::full;
  }
  /// timed_out, closed.
  Result<void> put(T&& item, Deadline deadline) {
    Session session(*this);
    for (Parked parked = Parked::unparked;;) {
      if (closed_) return Errc::closed;
      if (put_if_space(item)) return {};
      if (parked != Parked::unparked) return error_of(parked);
      parked = session.wait(not_full_, deadline);
    }
  }

  /// empty, closed.
  Result<T> try_get() {
    Session session(*this);
    if (store_.size() != 0) return store_.pop();
    return closed_ ? Errc::closed : Errc::empty;
  }
  /// timed_out, closed.
  Result<T> get(Deadline deadline) {
    Session session(*this);
    for (Parked parked = Parked::unparked;;) {
      if (store_.size() != 0) return store_.pop();
      if (closed_) return Errc::closed;
      if (parked != Parked::unparked) return error_of(parked);
      parked = session.wait(not_empty_, deadline);
    }
  }

  std::size_t size() const {
    const std::lock_guard guard(lock_);
    return store_.size();
  }

  Result<void> task_done() {
    Session session(*this);
    if (unfinished_ == 0) return Errc::over_released;
    if (--unfinished_ == 0) session.wake_all(all_done_);
    return {};
  }

  void join() {
    Session session(*this);
    while (unfinished_ != 0) session.wait(all_done_, Deadline::no_matter_what());
  }

  void shutdown(bool immediate) {
    {
      Session session(*this);
      closed_ = true;
      session.wake_all(not_empty_);
    }
    {
      Session session(*this);
      session.wake_all(not_full_);
    }
    if (immediate)
      while (try_get()) static_cast<void>(task_done());
  }

 private:
  /// The time during which the caller holds the lock.
  class Session {
   public:
    explicit Session(LockedQueue& queue) : queue_(queue) { queue_.lock_.lock(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { give_back(); }

    /// Gives the lock back while it waits.
    Parked wait(WakeChain& chain, Deadline deadline) {
      Waiter waiter;
      chain.enter(waiter);
      give_back();
      const Parked parked = waiter.park(deadline);
      queue_.lock_.lock();
      const bool woken = chain.leave(waiter);
      if (woken && parked != Parked::unparked) waiter.await_unpark(); // whoever woke it needs no lock for that
      return woken ? Parked::unparked : parked;
    }

    void wake_all(WakeChain& chain) { all_ = chain.take_all(); }

   private:
    void give_back() {
      Waiter* getter = queue_.store_.size() != 0 ? queue_.not_empty_.take() : nullptr;
      Waiter* putter = queue_.has_space() ? queue_.not_full_.take() : nullptr;
      Waiter* all = std::exchange(all_, nullptr);
      queue_.lock_.unlock();
      if (getter) getter->unpark();
      if (putter) putter->unpark();
      unpark_all(all);
    }

    LockedQueue& queue_;
    Waiter* all_ = nullptr;
  };

  bool has_space() const { return maxsize_ == 0 || store_.size() < maxsize_; }

  bool put_if_space(T& item) {
    if (!has_space()) return false;
    store_.push(std::move(item));
    ++unfinished_;
    return true;
  }

  mutable Lock lock_;
  bool closed_ = false;
  const std::size_t maxsize_;
  std::uint64_t unfinished_ = 0;
  WakeChain not_empty_;
  WakeChain not_full_;
  WakeChain all_done_;
  Store store_;
};

} // namespace rt::queue
