#pragma once
// A mixture of tasks that all do the same: threads with a hundred fibers each, and one without any; with random time
// limits, Timeout scopes, cancels from the own thread and from others, dropped handles, and joins across threads.

#include "turn.hpp"

#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace stress {

inline constexpr unsigned fibers_of_a_hub = 100;

/// One of a hub's fibers, in turn. Its handle belongs to whoever holds the lock.
struct Place {
  rt::Lock lock;
  rt::Fiber<unsigned> fiber;
  unsigned number = 0; // of the fiber, which it returns
};

struct Mixture {
  unsigned hubs = 2 + seed() % 3;
  std::vector<std::unique_ptr<Place[]>> places;
  std::atomic<unsigned> next_number = 0, hubs_left = hubs;
  std::atomic<bool> over = false, wrong = false;

  Mixture() {
    for (unsigned i = 0; i < hubs; ++i) places.push_back(std::make_unique<Place[]>(fibers_of_a_hub));
  }

  /// A fiber's life: some steps, each perhaps within a Timeout.
  template <class Step> unsigned live(unsigned number, Step& step) {
    Turn turn(number);
    for (unsigned steps = 1 + turn.below(30); steps > 0 && !over; --steps) {
      std::optional<rt::Timeout> timeout;
      if (turn.below(4) == 0) timeout.emplace(turn.timeout());
      step(turn);
    }
    return number;
  }

  template <class Step> void spawn(Place& place, Step& step) {
    const unsigned number = place.number = ++next_number;
    place.fiber = rt::spawn([this, number, &step] { return live(number, step); });
  }

  void check(unsigned result, unsigned number) {
    if (result != number) wrong = true;
  }

  /// Does something at random to the fiber in one of all places, and keeps those of the own hub filled.
  template <class Step> void tend(Turn& turn, unsigned hub, Step& step) {
    const unsigned which = turn.below(2) ? hub : turn.below(hubs);
    Place& place = places[which][turn.below(fibers_of_a_hub)];
    std::unique_lock guard(place.lock);
    const bool filled = place.fiber.joinable();
    if (!filled || (which == hub && place.fiber.done())) {
      if (filled) check(place.fiber.join(), place.number);
      if (which == hub) spawn(place, step);
      return;
    }
    switch (turn.below(8)) {
    case 0:
    case 1: place.fiber.cancel(); break;
    case 2:
      if (const auto result = place.fiber.join_for(turn.timeout())) check(result.value(), place.number);
      break;
    case 3: {
      auto dropped = std::move(place.fiber);
    } break;
    case 4: {
      auto mine = std::move(place.fiber);
      const unsigned number = place.number;
      guard.unlock();
      if (turn.below(2)) mine.cancel();
      while (!mine.wait_until(rt::Deadline::after(10ms)))
        if (over || !turn.goes_on()) {
          over = true; // all others may stand here as well
          mine.cancel();
        }
      check(mine.join(), number);
      break;
    }
    default: break;
    }
  }

  template <class Step> void run_hub(unsigned hub, Step& step) {
    Turn turn(1'000'000 + hub);
    for (unsigned i = 0; i < fibers_of_a_hub; ++i) {
      const std::lock_guard guard(places[hub][i].lock);
      spawn(places[hub][i], step);
    }
    while (turn.goes_on()) {
      for (int i = 0; i < 5; ++i) tend(turn, hub, step);
      rt::yield();
      turn.delay();
    }
    over = true;
    for (unsigned i = 0; i < fibers_of_a_hub; ++i) {
      Place& place = places[hub][i];
      const std::lock_guard guard(place.lock);
      if (!place.fiber.joinable()) continue;
      place.fiber.cancel();
      check(place.fiber.join(), place.number);
    }
    while (rt::hub_info().fibers > 0) rt::sleep_for(100us); // those without a handle
    --hubs_left;
  }
};

/// Runs step(turn) in all fibers and in a thread without any, until time is over; then release(), again and again,
/// which has to let go on what waits without a limit.
template <class Step, class Release> void mix(Step step, Release release) {
  Mixture mixture;
  std::vector<std::unique_ptr<rt::Thread>> threads;
  for (unsigned i = 0; i < mixture.hubs; ++i)
    threads.push_back(std::make_unique<rt::Thread>([&mixture, &step, i] { mixture.run_hub(i, step); }));
  threads.push_back(std::make_unique<rt::Thread>([&] {
    Turn turn(2'000'000);
    while (turn.goes_on() && !mixture.over) step(turn);
  }));
  threads.push_back(std::make_unique<rt::Thread>([&] {
    while (!mixture.over) rt::sleep_for(1ms);
    while (mixture.hubs_left > 0) {
      release();
      rt::sleep_for(1ms);
    }
    release();
  }));
  for (auto& thread : threads) thread->start().value();
  const auto time = limit + std::chrono::duration<double>(seconds());
  for (auto& thread : threads)
    if (!thread->join_for(time)) report_hang();
  CHECK(!mixture.wrong);
}

inline void nothing() {}

/// Held by one at a time, with plain counts that ThreadSanitizer would see otherwise.
struct Guarded {
  long value = 0;
  std::atomic<long> taken = 0;

  void use(Turn& turn) {
    const long before = value;
    turn.delay();
    value = before + 1;
    ++taken;
  }
};

} // namespace stress
