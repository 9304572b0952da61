// Conditions and events among fibers and threads: each wake-up ends as many waits as it says.

#include "bounded_buffer.hpp"
#include "mixture.hpp"

#include <atomic>
#include <mutex>

using namespace stress;

TEST_CASE("items under a condition are neither lost nor doubled by cancels and time limits") {
  BoundedBuffer buffer;
  mix([&](Turn& turn) { (void)(turn.below(2) ? buffer.put(turn) : buffer.get(turn)); }, [&] { buffer.close(); });
  buffer.check();
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
