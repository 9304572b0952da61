// Threads whose hubs run fibers: how they wake each other, end, join, and are canceled from elsewhere.

#include "scenario.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/sync/condition.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/queue.hpp>
#include <rt/sync/semaphore.hpp>

#include <doctest/doctest.h>

#include <mutex>

using namespace std::chrono_literals;
using model::Effort;
using model::Scenario;
using rt::Errc;

namespace {

constexpr Effort two_tasks{.limits = {.preemptions = 3, .together = 3}};

struct Signal {
  rt::Event event;
  int letter = 0;
};
void send(Signal& signal) {
  signal.letter = 1;
  signal.event.set();
}
void receive(Signal& signal) {
  signal.event.wait();
  MUST(signal.letter == 1);
}

struct Counter {
  rt::Lock lock;
  int value = 0;

  void add() {
    const std::lock_guard guard(lock);
    ++value;
  }
};

/// A fiber of one thread, told to the other by an event.
struct Shared {
  rt::Event spawned, go, done;
  rt::Fiber<int> fiber;
  int letter = 0;
};

} // namespace

TEST_CASE("a thread that has a hub is woken by one that has none, and the other way round") {
  CHECK(Scenario<Signal>("the waiter has a hub", two_tasks)
            .task("waiter",
                  [](Signal& signal) {
                    rt::hub::Hub::of_thread();
                    receive(signal);
                  })
            .task("setter", send)
            .holds());
  CHECK(Scenario<Signal>("it waits for a limited time", {.limits = {.preemptions = 3, .timeouts = 2, .together = 3}})
            .task("waiter",
                  [](Signal& signal) {
                    rt::spawn([] {}).join(); // room for timers
                    if (signal.event.wait_for(1ms)) MUST(signal.letter == 1);
                  })
            .task("setter", send)
            .holds());
  CHECK(Scenario<Counter>("both have one", two_tasks)
            .task("first",
                  [](Counter& counter) {
                    rt::hub::Hub::of_thread();
                    counter.add();
                    counter.add();
                  })
            .task("second",
                  [](Counter& counter) {
                    rt::hub::Hub::of_thread();
                    counter.add();
                    counter.add();
                  })
            .finally([](Counter& counter) { MUST(counter.value == 4); })
            .holds());
}

TEST_CASE("fibers of a thread wait side by side") {
  CHECK(Scenario<Signal>("two fibers wait for what another thread does")
            .task("hub",
                  [](Signal& signal) {
                    auto first = rt::spawn([&] { receive(signal); });
                    auto second = rt::spawn([&] { receive(signal); });
                    first.join();
                    second.join();
                  })
            .task("setter", send)
            .holds());
  struct Desk {
    rt::Queue<int> queue{1};
    int sum = 0;
  };
  CHECK(Scenario<Desk>("a fiber and a thread put, another fiber gets")
            .task("hub",
                  [](Desk& desk) {
                    auto getter = rt::spawn([&] {
                      desk.sum += desk.queue.get().value();
                      desk.sum += desk.queue.get().value();
                    });
                    auto putter = rt::spawn([&] { desk.queue.put(1).value(); });
                    getter.join();
                    putter.join();
                  })
            .task("putter", [](Desk& desk) { desk.queue.put(10).value(); })
            .finally([](Desk& desk) { MUST(desk.sum == 11); })
            .holds());
}

TEST_CASE("a fiber is joined, dropped and canceled by another thread") {
  const auto spawn_and_let_go = [](Shared& shared) {
    shared.fiber = rt::spawn([&shared] {
      shared.letter = 1;
      return shared.go.wait_for(rt::forever).error() == Errc::canceled ? 2 : 1;
    });
    shared.spawned.set();
    shared.done.wait();
    // A hub has to go on until its fibers have ended.
    while (rt::hub_info().fibers > 0) rt::sleep_for(1ms);
  };
  CHECK(Scenario<Shared>("joined")
            .task("hub", spawn_and_let_go)
            .task("joiner",
                  [](Shared& shared) {
                    shared.spawned.wait();
                    shared.go.set();
                    MUST(shared.fiber.join() == 1);
                    MUST(shared.letter == 1);
                    shared.done.set();
                  })
            .holds());
  CHECK(Scenario<Shared>("joined for a limited time", {.limits = {.timeouts = 2}})
            .task("hub", spawn_and_let_go)
            .task("joiner",
                  [](Shared& shared) {
                    shared.spawned.wait();
                    shared.go.set();
                    const auto result = shared.fiber.join_for(1us);
                    MUST(result ? result.value_or(0) == 1 : result.error() == Errc::timed_out);
                    shared.done.set();
                  })
            .holds());
  CHECK(Scenario<Shared>("dropped")
            .task("hub", spawn_and_let_go)
            .task("dropper",
                  [](Shared& shared) {
                    shared.spawned.wait();
                    shared.go.set();
                    rt::Fiber<int>(std::move(shared.fiber));
                    shared.done.set();
                  })
            .holds());
  CHECK(Scenario<Shared>("canceled, then joined")
            .task("hub", spawn_and_let_go)
            .task("canceler",
                  [](Shared& shared) {
                    shared.spawned.wait();
                    shared.fiber.cancel();
                    MUST(shared.fiber.join() == 2);
                    shared.done.set();
                  })
            .holds());
}
