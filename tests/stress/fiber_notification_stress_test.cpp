// Conditions and events among fibers and threads: each wake-up ends as many waits as it says.

#include "mixture.hpp"

#include <atomic>
#include <deque>
#include <mutex>

using namespace stress;

TEST_CASE("items under a condition are neither lost nor doubled by cancels and time limits") {
  constexpr std::size_t capacity = 4;
  rt::Lock lock;
  rt::Condition not_empty, not_full;
  std::deque<long> items;
  long put = 0, got = 0;
  bool in_order = true, closed = false;
  // A wait that ends, for whatever reason, looks for its condition once more, so no notification is lost by it.
  const auto wait = [&](rt::Condition& condition, auto& guard, Turn& turn, auto ready) {
    if (turn.below(3) == 0) {
      condition.wait(guard, [&] { return ready() || closed; });
      return ready();
    }
    if (condition.wait_for(guard, turn.timeout(), [&] { return ready() || closed; })) return ready();
    return false;
  };
  mix(
      [&](Turn& turn) {
        std::unique_lock guard(lock);
        if (turn.below(2)) {
          if (!wait(not_full, guard, turn, [&] { return items.size() < capacity; })) return;
          items.push_back(put++);
          not_empty.notify_one();
        } else {
          if (!wait(not_empty, guard, turn, [&] { return !items.empty(); })) return;
          if (items.front() != got) in_order = false;
          items.pop_front();
          ++got;
          not_full.notify_one();
        }
      },
      [&] {
        const std::lock_guard guard(lock);
        closed = true;
        not_empty.notify_all();
        not_full.notify_all();
      });
  CHECK(in_order);
  CHECK(put == got + static_cast<long>(items.size()));
  CHECK(put > 0);
}

TEST_CASE("each notification ends exactly one fiber's or thread's wait") {
  rt::RLock lock;
  rt::Condition condition;
  long notified = 0, returned = 0;
  unsigned waiting = 0; // what the length of the condition's list has to be
  const auto notify = [&](unsigned n) {
    condition.notify(n);
    waiting -= n;
    notified += n;
  };
  mix(
      [&](Turn& turn) {
        const std::lock_guard guard(lock);
        if (turn.below(2) || waiting > 50) {
          if (waiting > 0) notify(1 + turn.below(waiting));
        } else {
          ++waiting;
          condition.wait(lock);
          ++returned;
        }
        turn.delay();
      },
      [&] {
        const std::lock_guard guard(lock);
        notify(waiting);
      });
  CHECK(notified == returned);
  CHECK(waiting == 0);
}

TEST_CASE("an event that is set and cleared at once releases fibers and threads") {
  rt::Event event;
  std::atomic<long> woken = 0;
  mix(
      [&](Turn& turn) {
        switch (turn.below(4)) {
        case 0: event.wait(); break;
        case 1: (void)event.wait_for(turn.timeout()); break;
        default:
          event.set();
          turn.delay();
          event.clear();
          return;
        }
        ++woken;
      },
      [&] { event.set(); });
  CHECK(woken > 0);
}
