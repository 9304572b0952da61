// Groups of fibers that are joined, canceled and added to at the same time.

#include "sync_test.hpp"

#include <rt/rt.hpp>

using namespace sync_test;
using rt::Errc;

TEST_CASE("a group that is joined can be canceled, and joined by a second fiber") {
  rt::Group group;
  int ended = 0;
  for (int i = 0; i < 3; ++i)
    CHECK(group.spawn([&] {
      rt::Event never;
      CHECK(never.wait_for(limit).error() == Errc::canceled);
      ++ended;
    }));
  const auto join = [&] {
    group.join();
    CHECK(ended == 3);
  };
  auto first = rt::spawn(join), second = rt::spawn(join);
  rt::sleep_for(1ms);
  CHECK(group.size() == 3);
  const auto begin = rt::Clock::now();
  group.cancel();
  first.join();
  second.join();
  CHECK(rt::Clock::now() - begin < limit);
  CHECK(group.size() == 0);
}

TEST_CASE("a group is joined with what its fibers add, and with what their callables hold") {
  auto held = std::make_shared<int>(0);
  {
    rt::Group group;
    CHECK(group.spawn([&, held] {
      rt::sleep_for(1ms);
      CHECK(group.spawn([&, held] {
        rt::sleep_for(1ms);
        CHECK(group.spawn([held] { rt::sleep_for(1ms); }));
      }));
    }));
    CHECK(held.use_count() == 2);
    group.join();
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("who waits for a place in a group can be canceled or run out of time") {
  rt::Group group(1);
  rt::Event go;
  bool ran = false;
  CHECK(group.spawn([&] { go.wait(); }));
  {
    rt::Timeout timeout(1ms);
    CHECK(group.spawn([&] { ran = true; }).error() == Errc::timed_out);
  }
  auto waiting = rt::spawn([&] { return group.spawn([&] { ran = true; }).error().code; });
  rt::yield();
  waiting.cancel();
  CHECK(waiting.join() == Errc::canceled);
  CHECK_FALSE(ran);
  go.set();
  CHECK(group.spawn([&] { ran = true; }));
  group.join();
  CHECK(ran);
}
