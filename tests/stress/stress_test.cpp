// Four threads on each primitive, with random time limits and delays, and exact counts at the end.

#include "turn.hpp"

#include <rt/sync/barrier.hpp>
#include <rt/sync/condition.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_barrier.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>
#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

using namespace stress;
using rt::Errc;

namespace {

constexpr unsigned tasks = 4;
/// Runs body(turn) in each task and joins them all; false if one hangs.
template <class F> void run(F body, unsigned count = tasks) {
  std::vector<std::unique_ptr<rt::Thread>> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.push_back(std::make_unique<rt::Thread>([&body, i] {
      Turn turn(i);
      body(turn);
    }));
    threads.back()->start().value();
  }
  const auto time = limit + std::chrono::duration<double>(seconds());
  for (auto& thread : threads)
    if (!thread->join_for(time)) report_hang();
}

} // namespace

TEST_CASE_TEMPLATE("a lock excludes whoever comes in whatever way", L, rt::Lock, rt::SharedLock, rt::RLock,
                   rt::SharedRLock) {
  L lock;
  long value = 0; // plain, so that ThreadSanitizer would see two at a time
  std::atomic<long> taken = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      const unsigned way = turn.below(3);
      if (way == 0) {
        lock.lock();
      } else if (!(way == 1 ? lock.try_lock() : lock.try_lock_for(turn.timeout()).ok())) {
        continue;
      }
      const long before = value;
      turn.delay();
      value = before + 1;
      ++taken;
      lock.unlock();
      turn.delay();
    }
  });
  CHECK(value == taken);
  CHECK(!lock.locked());
}

TEST_CASE_TEMPLATE("an RLock's depth is its owner's", L, rt::RLock, rt::SharedRLock) {
  L lock;
  long value = 0;
  std::atomic<long> taken = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      const unsigned depth = 1 + turn.below(4);
      for (unsigned i = 0; i < depth; ++i) lock.lock();
      if (lock.depth() != depth) value = -1'000'000'000;
      ++value;
      ++taken;
      turn.delay();
      for (unsigned i = 0; i < depth; ++i) lock.unlock();
    }
  });
  CHECK(value == taken);
  CHECK(!lock.locked());
}

TEST_CASE_TEMPLATE("permits are conserved", S, rt::Semaphore, rt::SharedSemaphore) {
  constexpr unsigned permits = 2;
  S semaphore(permits);
  std::atomic<int> inside = 0;
  std::atomic<bool> too_many = false;
  std::atomic<long> taken = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      const unsigned way = turn.below(3);
      if (way == 0) {
        semaphore.acquire();
      } else if (!(way == 1 ? semaphore.try_acquire() : semaphore.try_acquire_for(turn.timeout()).ok())) {
        continue;
      }
      if (++inside > static_cast<int>(permits)) too_many = true;
      turn.delay();
      --inside;
      ++taken;
      semaphore.release();
      turn.delay();
    }
  });
  CHECK(!too_many);
  CHECK(semaphore.value() == permits);
}

TEST_CASE_TEMPLATE("every permit that is released is taken once", S, rt::Semaphore, rt::SharedSemaphore) {
  constexpr unsigned producers = tasks / 2, consumers = tasks - producers;
  S semaphore(0);
  std::atomic<long> released = 0, taken = 0;
  std::atomic<unsigned> producing = producers;
  std::atomic<bool> closed = false;
  run([&](Turn& turn) {
    if (turn.task() < producers) {
      while (turn.goes_on()) {
        const unsigned n = 1 + turn.below(3);
        released += n;
        semaphore.release(n);
        turn.delay();
        while (released - taken > 1000) rt::yield();
      }
      if (--producing == 0) {
        closed = true;
        semaphore.release(consumers); // one each, so that none waits for ever
      }
    } else {
      do {
        if (turn.below(2)) {
          while (!semaphore.try_acquire_for(turn.timeout())) {
          }
        } else {
          semaphore.acquire();
        }
        ++taken;
      } while (!closed || taken < released);
    }
  });
  while (semaphore.try_acquire()) ++taken;
  CHECK(taken == released + consumers);
}

TEST_CASE_TEMPLATE("a bounded semaphore never has more than its permits", S, rt::BoundedSemaphore,
                   rt::SharedBoundedSemaphore) {
  S semaphore(2);
  std::atomic<long> balance = 2;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      if (turn.below(2)) {
        if (semaphore.try_acquire_for(turn.timeout())) --balance;
      } else if (semaphore.release()) {
        ++balance;
      }
      turn.delay();
    }
  });
  CHECK(balance == semaphore.value());
  CHECK(semaphore.value() <= 2);
}

TEST_CASE("items put under a condition are all got, in order, and a time-out loses none") {
  constexpr std::size_t capacity = 4;
  rt::Lock lock;
  rt::Condition not_empty, not_full;
  std::deque<long> items;
  long put = 0, got = 0;
  bool in_order = true, closed = false;
  unsigned producing = tasks / 2;
  run([&](Turn& turn) {
    if (turn.task() % 2) {
      while (turn.goes_on()) {
        std::unique_lock guard(lock);
        if (turn.below(2)) {
          not_full.wait(guard, [&] { return items.size() < capacity; });
        } else if (!not_full.wait_for(guard, turn.timeout(), [&] { return items.size() < capacity; })) {
          continue;
        }
        items.push_back(put++);
        not_empty.notify_one();
        guard.unlock();
        turn.delay();
      }
      const std::lock_guard guard(lock);
      if (--producing == 0) {
        closed = true;
        not_empty.notify_all();
      }
    } else {
      for (;;) {
        std::unique_lock guard(lock);
        if (turn.below(2)) {
          not_empty.wait(guard, [&] { return !items.empty() || closed; });
        } else if (!not_empty.wait_for(guard, turn.timeout(), [&] { return !items.empty() || closed; })) {
          continue;
        }
        if (items.empty()) break;
        if (items.front() != got) in_order = false;
        items.pop_front();
        ++got;
        not_full.notify_one();
        guard.unlock();
        turn.delay();
      }
    }
  });
  CHECK(in_order);
  CHECK(got == put);
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

TEST_CASE_TEMPLATE("an event releases all who waited before it was set, each time", E, rt::Event, rt::SharedEvent) {
  E event;
  std::atomic<unsigned> ready = 0, through = 0;
  std::atomic<bool> stop = false;
  E next[2]; // gates between rounds, used alternately
  long rounds = 0;
  run([&](Turn& turn) {
    for (unsigned round = 0;; ++round) {
      E& gate = next[round % 2];
      if (turn.task() == 0) {
        while (ready != (tasks - 1) * (round + 1)) rt::yield();
        next[(round + 1) % 2].clear();
        turn.delay();
        event.set();
        while (through != (tasks - 1) * (round + 1)) rt::yield();
        event.clear();
        ++rounds;
        if (!turn.goes_on()) stop = true;
        gate.set();
      } else {
        ++ready;
        if (turn.below(2)) {
          event.wait();
        } else {
          while (!event.wait_for(turn.timeout())) {
          }
        }
        ++through;
        gate.wait();
      }
      if (stop) return;
    }
  });
  CHECK(rounds > 0);
  CHECK(through == (tasks - 1) * rounds);
  CHECK(!event.is_set());
}

TEST_CASE_TEMPLATE("set and clear at once wake everybody who sleeps", E, rt::Event, rt::SharedEvent) {
  E event;
  std::atomic<unsigned> running = tasks - 1;
  std::atomic<long> woken = 0;
  run([&](Turn& turn) {
    if (turn.task() == 0) {
      while (running > 0) {
        event.set();
        event.clear();
        turn.delay();
      }
      return;
    }
    while (turn.goes_on()) {
      event.wait();
      ++woken;
    }
    --running;
  });
  CHECK(woken > 0);
}

TEST_CASE_TEMPLATE("a barrier keeps its parties in step", B, rt::Barrier, rt::SharedBarrier) {
  long actions = 0, steps[tasks] = {};
  std::atomic<bool> stop = false, wrong = false;
  std::atomic<long> sum = 0;
  B barrier(tasks, [&] { ++actions; });
  run([&](Turn& turn) {
    for (long round = 1;; ++round) {
      steps[turn.task()] = round;
      turn.delay();
      if (turn.task() == 0 && !turn.goes_on()) stop = true;
      sum += barrier.wait().value_or(1'000'000u);
      for (long step : steps)
        if (step != round) wrong = true;
      if (actions != 2 * round - 1) wrong = true;
      const bool last = stop;
      sum += barrier.wait_for(limit).value_or(1'000'000u);
      if (last) return;
    }
  });
  CHECK(!wrong);
  CHECK(actions == 2 * steps[0]);
  CHECK(sum == actions * (0 + 1 + 2 + 3));
}

TEST_CASE_TEMPLATE("a barrier that is broken, aborted and reset at random releases all or none", B, rt::Barrier,
                   rt::SharedBarrier) {
  std::atomic<long> actions = 0, passed[tasks - 1] = {};
  B barrier(tasks - 1, [&] { ++actions; });
  std::atomic<unsigned> running = tasks - 1;
  run([&](Turn& turn) {
    if (turn.task() == 0) {
      while (running > 0) { // resets, and never aborts after all have come, for that may keep some from passing
        turn.delay();
        barrier.reset();
      }
      return;
    }
    while (turn.goes_on()) {
      const auto result = turn.below(2) ? barrier.wait() : barrier.wait_for(turn.timeout());
      if (result) ++passed[result.value()];
      turn.delay();
    }
    barrier.abort();
    --running;
  });
  // An abort may meet the release of the others, at each task's end once at most.
  for (const auto& each : passed) {
    CHECK(each <= actions);
    CHECK(each + (tasks - 1) >= actions);
  }
  barrier.reset();
  CHECK(!barrier.broken());
  CHECK(barrier.n_waiting() == 0);
}

TEST_CASE("threads are started, joined and asked by several tasks") {
  std::atomic<long> started = 0, ran = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      rt::Thread thread(rt::ThreadOptions{.daemon = turn.below(4) == 0}, [&] { ++ran; });
      if (!thread.start()) continue;
      ++started;
      rt::Thread other([&thread, timeout = turn.timeout()] { (void)thread.join_for(timeout); });
      if (turn.below(2)) (void)other.start();
      while (turn.below(3)) (void)thread.is_alive();
      if (turn.below(2)) (void)thread.join_for(turn.timeout());
      other.join();
      thread.join();
    }
  });
  CHECK(ran == started);
}
