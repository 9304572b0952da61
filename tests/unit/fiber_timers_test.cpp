// Timers of fibers: their order, when a hub looks at them, and what a Timeout leaves alone.

#include "sync_test.hpp"

#include <rt/hub/timers.hpp>
#include <rt/rt.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

using namespace sync_test;
using rt::Errc;

TEST_CASE("timers give deadlines back soonest first, whichever are removed in between") {
  std::mt19937 random(20);
  constexpr std::size_t count = 500;
  rt::hub::Timers timers;
  REQUIRE(timers.reserve(count));
  auto flows = std::make_unique<rt::hub::Flow[]>(count);
  std::multimap<std::int64_t, rt::hub::Flow*> model;
  for (int step = 0; step < 50'000; ++step) {
    rt::hub::Flow& flow = flows[random() % count];
    if (flow.timer == rt::hub::Flow::no_timer) {
      const auto deadline = static_cast<std::int64_t>(random() % 100); // many are the same
      timers.add(flow, deadline);
      model.emplace(deadline, &flow);
    } else if (random() % 2) {
      timers.remove(flow);
      std::erase_if(model, [&](const auto& entry) { return entry.second == &flow; });
      CHECK(flow.timer == rt::hub::Flow::no_timer);
    }
    REQUIRE(timers.size() == model.size());
    if (!model.empty()) REQUIRE(timers.first_deadline() == model.begin()->first);
  }
  while (!timers.empty()) {
    REQUIRE(timers.first_deadline() == model.begin()->first);
    const auto [first, last] = model.equal_range(timers.first_deadline());
    const auto found = std::find_if(first, last, [&](const auto& entry) { return entry.second == &timers.first(); });
    REQUIRE(found != last);
    timers.remove(timers.first());
    model.erase(found);
  }
  CHECK(model.empty());
}

TEST_CASE("timers are looked at while fibers end and others yield") {
  bool over = false;
  const auto begin = rt::Clock::now();
  auto sleeper = rt::spawn([&] {
    rt::sleep_for(20ms);
    over = true;
  });
  std::vector<rt::Fiber<void>> short_lived;
  for (int yields = 0; yields < 256; ++yields)
    short_lived.push_back(rt::spawn([yields] {
      for (int i = 0; i < yields; ++i) rt::yield();
    }));
  auto busy = rt::spawn([&] {
    while (!over && rt::Clock::now() - begin < limit) rt::yield();
  });
  while (!over && rt::Clock::now() - begin < limit) rt::yield();
  CHECK(over);
  sleeper.join();
  busy.join();
}

TEST_CASE("timers are looked at in a chain of fibers that end as soon as they have spawned the next") {
  bool over = false;
  const auto begin = rt::Clock::now();
  auto sleeper = rt::spawn([&] {
    rt::sleep_for(5ms);
    over = true;
  });
  struct Link {
    bool& over;
    rt::Clock::time_point begin;
    void operator()() const {
      if (!over && rt::Clock::now() - begin < limit) rt::spawn(*this);
    }
  };
  rt::spawn(Link{over, begin});
  sleeper.join();
  CHECK(rt::Clock::now() - begin < limit);
}

TEST_CASE("a Timeout leaves alone what cannot tell of it") {
  rt::Event event;
  rt::Semaphore semaphore(0);
  rt::Lock lock;
  lock.lock();
  auto fiber = rt::spawn([&] {
    rt::Timeout timeout(1ms);
    event.wait();
    semaphore.acquire();
    const std::lock_guard guard(lock);
    CHECK(timeout.expired());
    CHECK(event.is_set());
    rt::Event never;
    CHECK(never.wait_for(limit).error() == Errc::timed_out);
  });
  rt::sleep_for(5ms);
  CHECK_FALSE(fiber.done());
  event.set();
  rt::sleep_for(1ms);
  semaphore.release();
  rt::sleep_for(1ms);
  CHECK_FALSE(fiber.done());
  lock.unlock();
  fiber.join();
}
