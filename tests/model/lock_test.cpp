#include "scenario.hpp"

#include <rt/base/futex_lock.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <doctest/doctest.h>

#include <mutex>

using namespace std::chrono_literals;
using model::Effort;
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
  if (!counter.lock.try_lock_for(1ms)) return add(counter);
  ++counter.value;
  counter.lock.unlock();
}

template <class L> void give_up_in_time(Counter<L>& counter) {
  if (counter.lock.try_lock_for(1ms)) counter.lock.unlock();
}

} // namespace

TEST_CASE_TEMPLATE("a lock excludes, and who waits for it gets it", L, rt::FutexLock, rt::Lock, rt::SharedLock,
                   rt::RLock) {
  CHECK(Scenario<Counter<L>>("two tasks take a lock twice")
            .task("first", add_twice<L>)
            .task("second", add_twice<L>)
            .finally([](Counter<L>& counter) { MUST(counter.value == 4); })
            .holds());
  CHECK(Scenario<Counter<L>>("three tasks take a lock")
            .task("first", add<L>)
            .task("second", add<L>)
            .task("third", add<L>)
            .finally([](Counter<L>& counter) { MUST(counter.value == 3); })
            .holds());
}
