// Events: who waited before they were set is released.

#include "tasks.hpp"

#include <rt/sync/event.hpp>

using namespace stress;

TEST_CASE_TEMPLATE("an event releases all who waited before it was set, each time", E, rt::Event, rt::SharedEvent) {
  E event;
  std::atomic<unsigned> ready = 0, through = 0;
  std::atomic<bool> stop = false;
  E next[2]; // gates between rounds, used alternately
  long rounds = 0;
  run([&](Turn& turn) {
    for (unsigned round = 0;; ++round) {
      E& gate = next[round % 2];
      if (turn.task() == 0) {
        while (ready != (tasks - 1) * (round + 1)) rt::yield();
        next[(round + 1) % 2].clear();
        turn.delay();
        event.set();
        while (through != (tasks - 1) * (round + 1)) rt::yield();
        event.clear();
        ++rounds;
        if (!turn.goes_on()) stop = true;
        gate.set();
      } else {
        ++ready;
        if (turn.below(2)) {
          event.wait();
        } else {
          while (!event.wait_for(turn.timeout())) {
          }
        }
        ++through;
        gate.wait();
      }
      if (stop) return;
    }
  });
  CHECK(rounds > 0);
  CHECK(through == (tasks - 1) * rounds);
  CHECK(!event.is_set());
}

TEST_CASE_TEMPLATE("set and clear at once wake everybody who sleeps", E, rt::Event, rt::SharedEvent) {
  E event;
  std::atomic<unsigned> running = tasks - 1;
  std::atomic<long> woken = 0;
  run([&](Turn& turn) {
    if (turn.task() == 0) {
      while (running > 0) {
        event.set();
        event.clear();
        turn.delay();
      }
      return;
    }
    while (turn.goes_on()) {
      event.wait();
      ++woken;
    }
    --running;
  });
  CHECK(woken > 0);
}
