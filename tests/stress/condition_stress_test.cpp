// Conditions: each notification ends as many waits as it says, also where it meets a time-out.

#include "bounded_buffer.hpp"
#include "tasks.hpp"

#include <rt/sync/condition.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <mutex>

using namespace stress;

TEST_CASE("items put under a condition are all got, in order, and a time-out loses none") {
  BoundedBuffer buffer;
  std::atomic<unsigned> producing = tasks / 2;
  run([&](Turn& turn) {
    if (turn.task() % 2) {
      while (turn.goes_on())
        if (buffer.put(turn)) turn.delay();
      if (--producing == 0) buffer.close();
    } else {
      while (!buffer.closed_and_empty())
        if (buffer.get(turn)) turn.delay();
    }
  });
  CHECK(buffer.closed_and_empty());
  buffer.check();
}

TEST_CASE("each notification of a condition ends exactly one wait, or finds nobody") {
  rt::RLock lock;
  rt::Condition condition;
  long notified = 0, returned = 0;
  unsigned waiting = 0; // what the length of the condition's list has to be
  std::atomic<unsigned> left = tasks;
  run([&](Turn& turn) {
    if (turn.task() == 0) { // notifies as long as others wait
      while (left > 1) {
        {
          const std::lock_guard guard(lock);
          if (waiting > 0) {
            const unsigned n = 1 + turn.below(waiting);
            condition.notify(n);
            waiting -= n;
            notified += n;
          }
        }
        turn.delay();
      }
      return;
    }
    while (turn.goes_on()) {
      const std::lock_guard guard(lock);
      ++waiting;
      condition.wait(lock);
      ++returned;
    }
    --left;
  });
  CHECK(notified == returned);
  CHECK(waiting == 0);
}

TEST_CASE("a notification that meets a time-out reaches somebody") {
  rt::Lock lock;
  rt::Condition condition, answered;
  // In each round one task waits with a limit, then one without. One notification comes: if the first reports a
  // time-out, the notification has to be the second one's. Then that one is released by another.
  long rounds = 0, lost = 0;
  unsigned stage = 0; // 0: nobody, 1: the first waits, 2: both wait, 3: over
  bool stop = false;
  bool first_back = false, first_notified = false, second_back = false;
  run(
      [&](Turn& turn) {
        std::unique_lock guard(lock);
        if (turn.task() == 0) {
          while (!stop) {
            answered.wait(guard, [&] { return stage == 0 || stop; });
            if (stop) break;
            stage = 1;
            answered.notify_all();
            first_notified = condition.wait_for(guard, std::chrono::nanoseconds(20'000 + turn.below(100'000))).ok();
            first_back = true;
            answered.notify_all();
            answered.wait(guard, [&] { return stage == 3 || stop; });
            if (stop) break;
            stage = 4;
            answered.notify_all();
          }
        } else if (turn.task() == 1) {
          while (!stop) {
            answered.wait(guard, [&] { return stage == 1 || stop; });
            if (stop) break;
            stage = 2;
            answered.notify_all();
            condition.wait(guard);
            second_back = true;
            answered.notify_all();
            answered.wait(guard, [&] { return stage == 0 || stage == 1 || stop; });
          }
        } else {
          while (!stop) {
            answered.wait(guard, [&] { return stage == 2; });
            guard.unlock();
            rt::sleep_for(std::chrono::nanoseconds(turn.below(120'000)));
            guard.lock();
            condition.notify_one();
            if (!answered.wait_for(guard, limit, [&] { return first_back; })) ++lost;
            if (first_notified) condition.notify_one(); // for the second
            if (!answered.wait_for(guard, limit, [&] { return second_back; })) ++lost;
            ++rounds;
            stage = 3;
            answered.notify_all();
            answered.wait(guard, [&] { return stage == 4; });
            first_back = second_back = first_notified = false;
            stage = 0;
            if (!turn.goes_on()) stop = true;
            answered.notify_all();
          }
        }
      },
      3);
  CHECK(lost == 0);
  CHECK(rounds > 0);
}
