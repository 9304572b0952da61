#pragma once
// The textbook's bounded buffer: a lock and two conditions around a few numbers, which must come out as they went in.

#include "turn.hpp"

#include <rt/sync/condition.hpp>
#include <rt/sync/lock.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <mutex>

namespace stress {

class BoundedBuffer {
 public:
  /// Puts the next number, waiting for room with or without a time limit. False: the time was over, the task was
  /// canceled, or the buffer is closed and has no room.
  bool put(Turn& turn) {
    std::unique_lock guard(lock_);
    if (!wait(not_full_, guard, turn, [this] { return items_.size() < capacity; })) return false;
    items_.push_back(put_++);
    not_empty_.notify_one();
    return true;
  }

  /// The same for taking the first one.
  bool get(Turn& turn) {
    std::unique_lock guard(lock_);
    if (!wait(not_empty_, guard, turn, [this] { return !items_.empty(); })) return false;
    if (items_.front() != got_) in_order_ = false;
    items_.pop_front();
    ++got_;
    not_full_.notify_one();
    return true;
  }

  /// Nobody waits from now on.
  void close() {
    const std::lock_guard guard(lock_);
    closed_ = true;
    not_empty_.notify_all();
    not_full_.notify_all();
  }
  bool closed_and_empty() {
    const std::lock_guard guard(lock_);
    return closed_ && items_.empty();
  }

  /// When all tasks have ended.
  void check() const {
    CHECK(in_order_);
    CHECK(put_ == got_ + static_cast<long>(items_.size()));
    CHECK(put_ > 0);
  }

 private:
  static constexpr std::size_t capacity = 4;

  // A wait that ends, for whatever reason, looks for its condition once more, so no notification is lost by it.
  template <class Ready>
  bool wait(rt::Condition& condition, std::unique_lock<rt::Lock>& guard, Turn& turn, Ready ready) {
    const auto over = [&] { return ready() || closed_; };
    if (turn.below(2))
      condition.wait(guard, over);
    else if (!condition.wait_for(guard, turn.timeout(), over))
      return false;
    return ready();
  }

  rt::Lock lock_;
  rt::Condition not_empty_, not_full_;
  std::deque<long> items_;
  long put_ = 0, got_ = 0;
  bool in_order_ = true, closed_ = false;
};

} // namespace stress
