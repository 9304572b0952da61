#pragma once
// RingQueue: the bounded queue as an array, with no lock (after D. Vyukov's bounded MPMC queue).
//
// Positions are 64-bit numbers, lap | closed | index: an index below the capacity, the mark that the queue was shut
// down (in tail_ only), and how often the array was gone through. They grow and never wrap (2^46 laps at least).
// Cell i's stamp says what it is ready for:
//
//   stamp             the cell is                       left by
//   position p        free for the put at p             the put that moved tail_ from p to the next position, when the
//                                                       item is in place: to p + 1
//   p + 1             holding the item of position p    the get that moved head_ from p, when the item is out: to
//                                                       p + one_lap, free for the next lap
//
// An item is put once and got once: a position is claimed by one compare-exchange of tail_ or head_, and the cell
// belongs to its claimant until it writes the stamp. tail_ is claimed only while not marked closed, so that mark fixes
// which items there are, and get answers `closed` only where head_ has come to the marked tail.
//
// Full and empty are read off the positions, not the stamps: an item that is just being put or taken by somebody else
// makes a caller wait until that is done, as with a lock. (try_put and try_get do so too. Otherwise try_get could miss
// an item that its caller has put, because of an older one not yet in place.)
//
// Waiting: `not_empty_` is notified after a stamp p + 1 was written, `not_full_` after p + one_lap; see EventCount. Its
// condition is can_get(): the cell at head_ has its item. Stamps only grow, so a look that finds it without proves that
// the write is yet to come, and its writer will notify. Items whose writers notified while an older one was not in
// place are reached by the chain: who takes one looks at the next, and wakes somebody for it. The same for can_put().
// A closed queue lets everybody go on: shutdown wakes all, and the last item's getter starts a chain for the rest.
//
// Memory orders: the stamp's write releases the item, or the emptied cell, to the acquire load of whoever claims the
// cell next. It is a seq_cst exchange because of EventCount, as are the looks' loads. A claimant that has read the
// stamp knows the cell to be ready, and only one gets it. Claims release and the reads of positions acquire all the
// same, for the sake of `empty` and `full`: who sees that an item was taken also sees what the taker had put before.
//
// Tasks not done are the items ever put, which is what tail_ says, less those done: a put pays for nothing more.
// `all_done_` is notified by the task_done that makes both equal.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/sync/event_count.hpp>

#include <bit>
#include <memory>

namespace rt::queue {

/// The largest capacity that is worth an array from the beginning.
inline constexpr std::size_t most_ring_cells = std::size_t{1} << 16;

template <class T> class RingQueue {
 public:
  explicit RingQueue(std::size_t capacity)
      : capacity_(capacity), closed_mark_(std::bit_ceil(capacity + 1)), cells_(new Cell[capacity]) {
    for (std::size_t i = 0; i < capacity; ++i) cells_[i].stamp.store(i, std::memory_order_relaxed);
  }
  ~RingQueue() {
    while (Claim claim = claim_item()) std::destroy_at(&claim.cell->item);
  }

  /// full, closed.
  Result<void> try_put(T&& item) {
    const Claim claim = claim_space();
    if (claim) [[likely]]
      return fill(claim, std::move(item));
    return put_contended(claim.error, std::move(item), Deadline{}, Patience::none);
  }
  /// timed_out, closed.
  Result<void> put(T&& item, Deadline deadline) {
    const Claim claim = claim_space();
    if (claim) [[likely]]
      return fill(claim, std::move(item));
    return put_contended(claim.error, std::move(item), deadline, Patience::until_deadline);
  }

  /// empty, closed.
  Result<T> try_get() {
    const Claim claim = claim_item();
    if (claim) [[likely]]
      return take(claim);
    return get_contended(claim.error, Deadline{}, Patience::none);
  }
  /// timed_out, closed.
  Result<T> get(Deadline deadline) {
    const Claim claim = claim_item();
    if (claim) [[likely]]
      return take(claim);
    return get_contended(claim.error, deadline, Patience::until_deadline);
  }

  std::size_t size() const {
    for (Position tail = tail_.load(std::memory_order_acquire);;) {
      const Position head = head_.load(std::memory_order_acquire);
      const Position again = tail_.load(std::memory_order_acquire);
      if (again == tail) return number_of(tail) - number_of(head);
      tail = again;
    }
  }

  Result<void> task_done() {
    std::uint64_t done = done_.load(std::memory_order_relaxed);
    do {
      if (done >= number_of(tail_.load(std::memory_order_relaxed))) return Errc::over_released;
    } while (!done_.compare_exchange_weak(done, done + 1, std::memory_order_seq_cst, std::memory_order_relaxed));
    if (done + 1 == number_of(tail_.load(std::memory_order_seq_cst))) all_done_.notify_all();
    return {};
  }

  void join() {
    while (!is_all_done()) all_done_.wait(Deadline::no_matter_what(), [this] { return is_all_done(); });
  }

  void shutdown(bool immediate) {
    tail_.fetch_or(closed_mark_, std::memory_order_seq_cst);
    not_full_.wake_all();
    not_empty_.wake_all();
    if (immediate)
      while (try_get()) static_cast<void>(task_done());
  }

 private:
  using Position = std::uint64_t;
  enum class Patience : bool { none, until_deadline };

  struct Cell {
    Cell() {}
    ~Cell() {}
    Atomic<Position> stamp;
    union {
      T item;
    };
  };

  /// A cell that is the caller's until it writes the stamp, or why there is none; would_block: somebody else is just
  /// putting or taking an item there.
  struct Claim {
    Cell* cell;
    Position position;
    Errc error;
    explicit operator bool() const { return cell != nullptr; }
  };

  Position one_lap() const { return closed_mark_ * 2; }
  Position index_of(Position position) const { return position & (closed_mark_ - 1); }
  Position next(Position position) const {
    return index_of(position) + 1 < capacity_ ? position + 1 : (position & ~(closed_mark_ - 1)) + one_lap();
  }
  /// How many positions come before it.
  std::uint64_t number_of(Position position) const {
    return (position >> std::countr_zero(one_lap())) * capacity_ + index_of(position);
  }

  Claim claim_space() {
    Position tail = tail_.load(std::memory_order_acquire);
    for (;;) {
      if (tail & closed_mark_) [[unlikely]]
        return {nullptr, tail, Errc::closed};
      Cell& cell = cells_[index_of(tail)];
      const Position stamp = cell.stamp.load(std::memory_order_acquire);
      if (stamp == tail) {
        if (tail_.compare_exchange_weak(tail, next(tail), std::memory_order_release, std::memory_order_acquire))
          return {&cell, tail, Errc::none};
        continue;
      }
      const Position seen = tail;
      const bool full = head_.load(std::memory_order_acquire) + one_lap() == tail;
      tail = tail_.load(std::memory_order_acquire);
      if (tail == seen) return {nullptr, tail, full ? Errc::full : Errc::would_block};
    }
  }

  Claim claim_item() {
    Position head = head_.load(std::memory_order_acquire);
    for (;;) {
      Cell& cell = cells_[index_of(head)];
      const Position stamp = cell.stamp.load(std::memory_order_acquire);
      if (stamp == head + 1) {
        if (head_.compare_exchange_weak(head, next(head), std::memory_order_release, std::memory_order_acquire))
          return {&cell, head, Errc::none};
        continue;
      }
      const Position seen = head;
      const Position tail = tail_.load(std::memory_order_acquire);
      head = head_.load(std::memory_order_acquire);
      if (head != seen) continue;
      if (tail == head) return {nullptr, head, Errc::empty};
      if (tail == (head | closed_mark_)) return {nullptr, head, Errc::closed};
      return {nullptr, head, Errc::would_block};
    }
  }

  Result<void> fill(const Claim& claim, T&& item) {
    std::construct_at(&claim.cell->item, std::move(item));
    claim.cell->stamp.exchange(claim.position + 1, std::memory_order_seq_cst);
    not_empty_.notify_one();
    return {};
  }

  Result<T> take(const Claim& claim) {
    Result<T> item(std::move(claim.cell->item));
    std::destroy_at(&claim.cell->item);
    claim.cell->stamp.exchange(claim.position + one_lap(), std::memory_order_seq_cst);
    not_full_.notify_one();
    return item;
  }

  bool can_put() const {
    for (;;) {
      const Position tail = tail_.load(std::memory_order_seq_cst);
      if (tail & closed_mark_) return true;
      const Position stamp = cells_[index_of(tail)].stamp.load(std::memory_order_seq_cst);
      if (stamp <= tail) return stamp == tail;
    }
  }

  bool can_get() const {
    for (;;) {
      const Position head = head_.load(std::memory_order_seq_cst);
      const Position stamp = cells_[index_of(head)].stamp.load(std::memory_order_seq_cst);
      if (stamp <= head) return tail_.load(std::memory_order_seq_cst) == (head | closed_mark_);
      if (stamp == head + 1) return true;
    }
  }

  bool is_all_done() const {
    // In this order: both only grow and done never exceeds put, so if they are equal, they were when done_ was read.
    const std::uint64_t done = done_.load(std::memory_order_seq_cst);
    return done == number_of(tail_.load(std::memory_order_seq_cst));
  }

  // Somebody else has claimed the cell and is a few instructions from its stamp, unless it lost its CPU. Its
  // notification may go to another waiter, hence the limit.
  static Deadline soon() { return Deadline::after(std::chrono::microseconds(100)); }

  // From a claim that has failed for the reason `why`.
  [[gnu::noinline]] Result<void> put_contended(Errc why, T&& item, Deadline deadline, Patience patience) {
    Result<void> result;
    for (Parked parked = Parked::unparked;;) {
      result = why;
      if (why == Errc::closed || (why == Errc::full && patience == Patience::none)) break;
      result = error_of(parked);
      if (parked != Parked::unparked) break;
      result = {};
      parked = not_full_.wait(patience == Patience::none ? soon() : deadline, [this] { return can_put(); });
      if (patience == Patience::none) parked = Parked::unparked;
      const Claim claim = claim_space();
      if (claim) {
        fill(claim, std::move(item));
        break;
      }
      why = claim.error;
    }
    if (can_put()) not_full_.notify_one();
    return result;
  }

  [[gnu::noinline]] Result<T> get_contended(Errc why, Deadline deadline, Patience patience) {
    const auto pass_on = [this](Result<T> result) {
      if (can_get()) not_empty_.notify_one();
      return result;
    };
    for (Parked parked = Parked::unparked;;) {
      if (why == Errc::closed || (why == Errc::empty && patience == Patience::none)) return pass_on(why);
      if (parked != Parked::unparked) return pass_on(error_of(parked));
      parked = not_empty_.wait(patience == Patience::none ? soon() : deadline, [this] { return can_get(); });
      if (patience == Patience::none) parked = Parked::unparked;
      const Claim claim = claim_item();
      if (claim) return pass_on(take(claim));
      why = claim.error;
    }
  }

  const std::size_t capacity_;
  const Position closed_mark_;
  const std::unique_ptr<Cell[]> cells_;
  alignas(arch::cache_line) Atomic<Position> head_ = 0;
  alignas(arch::cache_line) Atomic<Position> tail_ = 0;
  EventCount not_empty_;
  EventCount not_full_;
  EventCount all_done_;
  alignas(arch::cache_line) Atomic<std::uint64_t> done_ = 0;
};

} // namespace rt::queue
