#include "scenario.hpp"

#include <rt/base/futex_lock.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <doctest/doctest.h>

#include <mutex>

using namespace std::chrono_literals;
using model::Scenario;

namespace {

template <class L> struct Counter {
  L lock;
  int value = 0;

  void add() {
    const std::lock_guard guard(lock);
    ++value;
  }
};

template <class L> void add(Counter<L>& counter) { counter.add(); }

template <class L> void add_twice(Counter<L>& counter) {
  counter.add();
  counter.add();
}

template <class L> void add_in_time(Counter<L>& counter) {
  if (!counter.lock.try_lock_for(1ms)) return;
  ++counter.value;
  counter.lock.unlock();
}

template <class L> struct Owned {
  L* lock = new L();
  bool last = false;
  ~Owned() { delete lock; }
};

/// Whoever comes second destroys the lock as soon as it has freed it.
template <class L> void use_and_destroy(Owned<L>& owned) {
  owned.lock->lock();
  const bool last = std::exchange(owned.last, true);
  owned.lock->unlock();
  if (last) delete std::exchange(owned.lock, nullptr);
}

} // namespace

TEST_CASE_TEMPLATE("a lock excludes, and who waits for it gets it", L, rt::FutexLock, rt::Lock, rt::SharedLock,
                   rt::RLock, rt::SharedRLock) {
  CHECK(Scenario<Counter<L>>("two tasks take a lock twice", {.limits = {.preemptions = 4}})
            .task("first", add_twice<L>)
            .task("second", add_twice<L>)
            .finally([](Counter<L>& counter) { MUST(counter.value == 4); })
            .holds());
  CHECK(Scenario<Counter<L>>("three tasks take a lock", {.limits = {.preemptions = 3}})
            .task("first", add<L>)
            .task("second", add<L>)
            .task("third", add<L>)
            .finally([](Counter<L>& counter) { MUST(counter.value == 3); })
            .holds());
}

TEST_CASE_TEMPLATE("a waiter that gives up takes no wake-up along", L, rt::Lock, rt::SharedLock, rt::RLock) {
  CHECK(Scenario<Counter<L>>("two who wait, one for a limited time", {.limits = {.timeouts = 2}})
            .task("holder", add<L>)
            .task("impatient", add_in_time<L>)
            .task("patient", add<L>)
            .finally([](Counter<L>& counter) { MUST(counter.value >= 2); })
            .holds());
  CHECK(Scenario<Counter<L>>("two who wait for a limited time", {.limits = {.timeouts = 2}})
            .task("holder", add<L>)
            .task("first", add_in_time<L>)
            .task("second", add_in_time<L>)
            .finally([](Counter<L>& counter) { MUST(!counter.lock.locked()); })
            .holds());
}

TEST_CASE_TEMPLATE("a lock may be destroyed by the last who took it", L, rt::FutexLock, rt::Lock, rt::SharedLock) {
  CHECK(Scenario<Owned<L>>("used by two, destroyed by the second", {.limits = {.preemptions = 3}})
            .task("first", use_and_destroy<L>)
            .task("second", use_and_destroy<L>)
            .holds());
}

TEST_CASE_TEMPLATE("an RLock taken twice is free after two unlocks", L, rt::RLock, rt::SharedRLock) {
  const auto add_within = [](Counter<L>& counter) {
    const std::lock_guard guard(counter.lock);
    MUST(counter.lock.depth() == 1);
    counter.add();
    MUST(counter.lock.held());
  };
  CHECK(Scenario<Counter<L>>("taken twice at once")
            .task("first", add_within)
            .task("second", add_within)
            .finally([](Counter<L>& counter) { MUST(counter.value == 2 && !counter.lock.locked()); })
            .holds());
}
