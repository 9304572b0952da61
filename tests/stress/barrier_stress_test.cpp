// Barriers: all pass or none, also where they are broken.

#include "tasks.hpp"

#include <rt/sync/barrier.hpp>
#include <rt/sync/shared_barrier.hpp>

using namespace stress;

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
