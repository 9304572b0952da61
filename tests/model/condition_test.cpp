#include "scenario.hpp"

#include <rt/sync/condition.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <doctest/doctest.h>

#include <mutex>

using namespace std::chrono_literals;
using model::Effort;
using model::Scenario;

namespace {

template <class L> struct Monitor {
  L lock;
  rt::Condition condition;
  int waiting = 0;  // who waits or has waited
  int returned = 0; // whose wait has ended
  int notified = 0; // how many were notified
  bool open = false;
};
using Plain = Monitor<rt::Lock>;

/// What each number of tasks that wait does: the first to wait has to return first.
void wait_in_turn(Plain& monitor) {
  const std::lock_guard guard(monitor.lock);
  const int place = monitor.waiting++;
  monitor.condition.wait(monitor.lock);
  MUST(place < monitor.notified); // not before its turn
  ++monitor.returned;
}

void notify(Plain& monitor, unsigned n) {
  const std::lock_guard guard(monitor.lock);
  monitor.notified = std::min(monitor.waiting, monitor.notified + static_cast<int>(n));
  monitor.condition.notify(n);
}

struct Owned {
  rt::Lock lock;
  rt::Condition* condition = new rt::Condition();
};

struct Pair {
  rt::Lock lock;
  rt::Condition condition;
  bool first_waits = false, both_wait = false, first_notified = false, second_notified = false;
};

} // namespace

TEST_CASE_TEMPLATE("who waits for a condition goes on when it has become true", L, rt::Lock, rt::RLock,
                   rt::SharedLock) {
  using State = Monitor<L>;
  const auto await = [](State& monitor) {
    std::unique_lock lock(monitor.lock);
    monitor.condition.wait(lock, [&] { return monitor.open; });
  };
  const auto open = [](State& monitor) {
    const std::lock_guard guard(monitor.lock);
    monitor.open = true;
    monitor.condition.notify_all();
  };
  CHECK(Scenario<State>("one waits", {.spin = 1us}).task("waiter", await).task("opener", open).holds());
  CHECK(Scenario<State>("two wait").task("first", await).task("second", await).task("opener", open).holds());
}

TEST_CASE("notify ends the waits of the first, and of nobody who comes later") {
  const auto notify_until_all_return = [](Plain& monitor) {
    for (bool all = false; !all;) {
      notify(monitor, 1);
      model::step_aside();
      const std::lock_guard guard(monitor.lock);
      all = monitor.returned == 2;
    }
  };
  CHECK(Scenario<Plain>("two wait, and are notified one by one")
            .task("first", wait_in_turn)
            .task("second", wait_in_turn)
            .task("notifier", notify_until_all_return)
            .holds());
}

TEST_CASE("a notification is not lost to a waiter whose time is over") {
  const auto impatient = [](Pair& pair) {
    const std::lock_guard guard(pair.lock);
    pair.both_wait = std::exchange(pair.first_waits, true);
    pair.first_notified = pair.condition.wait_for(pair.lock, 1ms).ok();
    if (pair.first_notified) pair.condition.notify_one(); // passes it on
  };
  const auto patient = [](Pair& pair) {
    const std::lock_guard guard(pair.lock);
    pair.both_wait = std::exchange(pair.first_waits, true);
    pair.condition.wait(pair.lock);
    pair.second_notified = true;
  };
  CHECK(Scenario<Pair>("one of two has a time limit, one is notified", {.limits = {.timeouts = 2}, .spin = 1us})
            .task("impatient", impatient)
            .task("patient", patient)
            .task("notifier",
                  [](Pair& pair) {
                    for (bool done = false; !done;) {
                      {
                        const std::lock_guard guard(pair.lock);
                        if ((done = pair.both_wait)) pair.condition.notify_one();
                      }
                      model::step_aside();
                    }
                  })
            .finally([](Pair& pair) { MUST(pair.second_notified); })
            .holds());
}

TEST_CASE("a Condition may be destroyed by whom it has notified") {
  CHECK(Scenario<Owned>("destroyed by its only waiter", {.limits = {.preemptions = 3, .together = 3}})
            .task("waiter",
                  [](Owned& owned) {
                    {
                      std::unique_lock lock(owned.lock);
                      owned.condition->wait(lock);
                    }
                    delete owned.condition;
                  })
            .task("notifier",
                  [](Owned& owned) {
                    while (!model::asleep(1)) model::step_aside();
                    owned.condition->notify_all(); // the lock is free: the waiter can go on at once
                  })
            .holds());
}
