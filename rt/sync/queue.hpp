#pragma once
// Queue, LifoQueue, PriorityQueue: items handed from task to task (Python's queue module, version 3.13).
//
//   kind            maxsize             how
//   Queue           1 .. 65536          RingQueue: an array without a lock
//   Queue           0 (unbounded), more LockedQueue around a ring that grows
//   LifoQueue       any                 LockedQueue around a stack
//   PriorityQueue   any                 LockedQueue around a heap
//
// A queue is open until shutdown. After that put fails with `closed`, and get does once there is no item left.
// It may be destroyed when all calls on it have returned; items left in it are destroyed.

#include <rt/sync/locked_queue.hpp>
#include <rt/sync/queue_stores.hpp>
#include <rt/sync/ring_queue.hpp>

#include <functional>

namespace rt {
namespace queue {

/// The methods that all kinds have. Core: RingQueue's or LockedQueue's.
///
/// A put that fails leaves the item with the caller: it is moved from only on success.
template <class T, class Core> class Interface {
 public:
  template <class... A>
  explicit Interface(std::size_t maxsize, A&&... a) : maxsize_(maxsize), core_(maxsize, std::forward<A>(a)...) {}
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  /// Adds the item, waiting for space as long as it takes. closed.
  Result<void> put(T&& item) { return core_.put(std::move(item), Deadline{}); }
  Result<void> put(const T& item) { return put(T(item)); }

  /// Adds the item if there is space. full, closed. (Python's put_nowait.)
  [[nodiscard]] Result<void> try_put(T&& item) { return core_.try_put(std::move(item)); }
  [[nodiscard]] Result<void> try_put(const T& item) { return try_put(T(item)); }

  /// Adds the item, waiting for space within the time. timed_out, closed.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> put_for(T&& item, std::chrono::duration<Rep, Period> timeout) {
    const Result<void> at_once = try_put(std::move(item));
    return at_once.error() == Errc::full ? core_.put(std::move(item), Deadline::after(timeout)) : at_once;
  }
  template <class Rep, class Period>
  [[nodiscard]] Result<void> put_for(const T& item, std::chrono::duration<Rep, Period> timeout) {
    return put_for(T(item), timeout);
  }

  /// Takes an item, waiting for one as long as it takes. closed.
  Result<T> get() { return core_.get(Deadline{}); }

  /// Takes an item if there is one. empty, closed. (Python's get_nowait.)
  [[nodiscard]] Result<T> try_get() { return core_.try_get(); }

  /// Takes an item, waiting for one within the time. timed_out, closed.
  template <class Rep, class Period> [[nodiscard]] Result<T> get_for(std::chrono::duration<Rep, Period> timeout) {
    Result<T> at_once = try_get();
    if (at_once.error() == Errc::empty) return core_.get(Deadline::after(timeout));
    return at_once;
  }

  /// Items in the queue at some moment of the call: by the time the caller sees it, others may have changed it.
  std::size_t size() const { return core_.size(); }
  bool empty() const { return size() == 0; }
  bool full() const { return maxsize_ != 0 && size() >= maxsize_; }

  /// Says that the work for an item that was got is done. over_released, if all items ever put are done already.
  Result<void> task_done() { return core_.task_done(); }

  /// Blocks until every item that was put has been followed by a task_done.
  void join() { core_.join(); }

  /// Closes the queue: put fails from now on, also where it is waiting, and get when it finds no item. With `immediate`
  /// the items still in the queue are dropped and count as done.
  void shutdown(bool immediate = false) { core_.shutdown(immediate); }

 private:
  const std::size_t maxsize_;
  Core core_;
};

/// RingQueue or LockedQueue, whichever suits the capacity.
template <class T> class FifoQueue {
 public:
  explicit FifoQueue(std::size_t maxsize) : is_ring_(maxsize != 0 && maxsize <= most_ring_cells) {
    if (is_ring_)
      std::construct_at(&ring_, maxsize);
    else
      std::construct_at(&locked_, maxsize);
  }
  ~FifoQueue() {
    on_core([](auto& core) { std::destroy_at(&core); });
  }

  Result<void> try_put(T&& item) {
    return on_core([&](auto& core) { return core.try_put(std::move(item)); });
  }
  Result<void> put(T&& item, Deadline deadline) {
    return on_core([&](auto& core) { return core.put(std::move(item), deadline); });
  }
  Result<T> try_get() {
    return on_core([](auto& core) { return core.try_get(); });
  }
  Result<T> get(Deadline deadline) {
    return on_core([&](auto& core) { return core.get(deadline); });
  }
  std::size_t size() const { return is_ring_ ? ring_.size() : locked_.size(); }
  Result<void> task_done() {
    return on_core([](auto& core) { return core.task_done(); });
  }
  void join() {
    on_core([](auto& core) { core.join(); });
  }
  void shutdown(bool immediate) {
    on_core([&](auto& core) { core.shutdown(immediate); });
  }

 private:
  template <class F> auto on_core(F f) { return is_ring_ ? f(ring_) : f(locked_); }

  const bool is_ring_;
  union {
    RingQueue<T> ring_;
    LockedQueue<T, FifoStore<T>> locked_;
  };
};

} // namespace queue

/// First in, first out. T needs to be movable only.
template <class T> class Queue : public queue::Interface<T, queue::FifoQueue<T>> {
 public:
  /// maxsize: how many items there can be, 0: any number.
  explicit Queue(std::size_t maxsize = 0) : queue::Interface<T, queue::FifoQueue<T>>(maxsize) {}
};

/// Last in, first out.
template <class T> class LifoQueue : public queue::Interface<T, queue::LockedQueue<T, queue::LifoStore<T>>> {
 public:
  explicit LifoQueue(std::size_t maxsize = 0)
      : queue::Interface<T, queue::LockedQueue<T, queue::LifoStore<T>>>(maxsize) {}
};

/// The least item first, by Compare; of equal ones any.
template <class T, class Compare = std::less<T>>
class PriorityQueue : public queue::Interface<T, queue::LockedQueue<T, queue::HeapStore<T, Compare>>> {
 public:
  explicit PriorityQueue(std::size_t maxsize = 0, Compare less = Compare())
      : queue::Interface<T, queue::LockedQueue<T, queue::HeapStore<T, Compare>>>(maxsize, std::move(less)) {}
};

} // namespace rt
