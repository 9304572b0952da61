#include "sync_test.hpp"

#include <rt/sync/event.hpp>

using namespace sync_test;
using rt::Errc;

TEST_CASE_TEMPLATE("an event is set by set and not set by clear", E, rt::Event, rt::SharedEvent) {
  E event;
  CHECK(!event.is_set());
  event.clear();
  CHECK(!event.is_set());
  event.set();
  CHECK(event.is_set());
  event.set();
  CHECK(event.is_set());
  event.clear();
  CHECK(!event.is_set());
}

TEST_CASE_TEMPLATE("waiting for an event that is set returns at once", E, rt::Event, rt::SharedEvent) {
  E event;
  event.set();
  event.wait();
  CHECK(event.wait_for(0s).ok());
  CHECK(event.wait_for(-1s).ok());
}

TEST_CASE_TEMPLATE("wait_for gives up when its time is over", E, rt::Event, rt::SharedEvent) {
  E event;
  const auto begin = std::chrono::steady_clock::now();
  CHECK(event.wait_for(moment).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= moment);
  CHECK(event.wait_for(0s).error() == Errc::timed_out);
  event.set();
  event.clear();
  CHECK(event.wait_for(moment).error() == Errc::timed_out);
}

TEST_CASE_TEMPLATE("set releases all who wait, with or without a time limit", E, rt::Event, rt::SharedEvent) {
  E event;
  int value = 0;
  std::vector<std::unique_ptr<Running>> waiters;
  for (int i = 0; i < 6; ++i)
    waiters.push_back(std::make_unique<Running>([&, i] {
      if (i % 2)
        event.wait();
      else
        CHECK(event.wait_for(limit).ok());
      CHECK(value == 7);
    }));
  for (auto& waiter : waiters) CHECK(waiter->comes_to_rest());
  value = 7;
  event.set();
  for (auto& waiter : waiters) CHECK(waiter->join_for(limit).ok());
}

TEST_CASE_TEMPLATE("set followed by clear at once releases all who waited", E, rt::Event, rt::SharedEvent) {
  E event;
  std::vector<std::unique_ptr<Running>> waiters;
  for (int i = 0; i < 6; ++i) waiters.push_back(std::make_unique<Running>([&] { event.wait(); }));
  for (auto& waiter : waiters) CHECK(waiter->comes_to_rest());
  event.set();
  event.clear();
  for (auto& waiter : waiters) CHECK(waiter->join_for(limit).ok());
  CHECK(!event.is_set());
}

TEST_CASE_TEMPLATE("an event can be used again after clear", E, rt::Event, rt::SharedEvent) {
  E event, taken;
  Running waiter([&] {
    for (int round = 0; round < 100; ++round) {
      event.wait();
      event.clear();
      taken.set();
    }
  });
  for (int round = 0; round < 100; ++round) {
    event.set();
    CHECK(taken.wait_for(limit).ok());
    taken.clear();
  }
  CHECK(waiter.join_for(limit).ok());
}

TEST_CASE("a shared event is set in one process and seen in the other") {
  struct Events {
    rt::SharedEvent there, back;
    int value = 0;
  };
  Mapped<Events> events;
  Child child([&] {
    events->there.wait();
    if (events->value != 1) return false;
    events->value = 2;
    events->back.set();
    return events->back.is_set();
  });
  events->value = 1;
  events->there.set();
  CHECK(events->back.wait_for(limit).ok());
  CHECK(events->value == 2);
  CHECK(child.end().exited_with(0));
}
