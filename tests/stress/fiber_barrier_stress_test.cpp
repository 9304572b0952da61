// Barriers of fibers and threads: kept in step, or released all or none.

#include "mixture.hpp"

#include <atomic>
#include <memory>
#include <vector>

using namespace stress;

TEST_CASE("a barrier that cancels and time limits break releases all or none") {
  constexpr unsigned parties = 3;
  std::atomic<long> actions = 0, passed[parties] = {};
  rt::Barrier barrier(parties, [&] { ++actions; });
  mix(
      [&](Turn& turn) {
        if (turn.below(8) == 0) {
          barrier.reset();
          return;
        }
        const auto result = turn.below(2) ? barrier.wait() : barrier.wait_for(turn.timeout());
        if (result) ++passed[result.value()];
        turn.delay();
      },
      [&] { barrier.abort(); });
  // The abort may meet the release of the others in the last round.
  for (const auto& each : passed) {
    CHECK(each <= actions);
    CHECK(each + 1 >= actions);
  }
  barrier.reset();
  CHECK(!barrier.broken());
}

TEST_CASE("a barrier keeps the fibers of several hubs in step") {
  const unsigned hubs = 2 + seed() % 3, fibers = 20, parties = hubs * fibers + 1;
  long actions = 0;
  std::atomic<long> sum = 0;
  std::atomic<bool> stop = false, wrong = false;
  std::vector<long> steps(parties);
  rt::Barrier barrier(parties, [&] { ++actions; });
  const auto party = [&](unsigned number) {
    Turn turn(number);
    for (long round = 1;; ++round) {
      steps[number] = round;
      turn.delay();
      if (number == 0 && !turn.goes_on()) stop = true;
      sum += barrier.wait().value_or(1'000'000u);
      for (long step : steps)
        if (step != round) wrong = true;
      const bool last = stop;
      sum += barrier.wait_for(limit).value_or(1'000'000u);
      if (last) return;
    }
  };
  std::vector<std::unique_ptr<rt::Thread>> threads;
  threads.push_back(std::make_unique<rt::Thread>(party, 0u));
  for (unsigned hub = 0; hub < hubs; ++hub)
    threads.push_back(std::make_unique<rt::Thread>([&, hub] {
      std::vector<rt::Fiber<void>> all;
      for (unsigned i = 0; i < fibers; ++i) all.push_back(rt::spawn(party, 1 + hub * fibers + i));
      (void)rt::joinall(all);
    }));
  for (auto& thread : threads) thread->start().value();
  for (auto& thread : threads)
    if (!thread->join_for(limit + std::chrono::duration<double>(seconds()))) report_hang();
  CHECK(!wrong);
  CHECK(actions == 2 * steps[0]);
  CHECK(sum == actions * (long{parties} * (parties - 1) / 2));
}
