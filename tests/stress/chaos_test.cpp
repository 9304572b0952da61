// What is in shared memory survives those who use it: its locks and its queue, all in one mixture.

#include "chaos.hpp"

#include <doctest/doctest.h>

using namespace stress;

TEST_CASE("processes whose parent is killed at any moment go on with what they share, and leave nothing behind") {
  const Belongings before;
  Turn turn(0);
  unsigned rounds = 0;
  do {
    const auto locks = make_locks_scene(), queue = make_queue_scene();
    Chaos({locks.get(), queue.get()}, 3).kill_parent(turn);
    ++rounds;
  } while (turn.goes_on());
  MESSAGE(rounds, " parents killed");
  before.check();
}

TEST_CASE("processes that are killed at any moment leave the others what they share, and nothing else behind") {
  const Belongings before;
  {
    const auto locks = make_locks_scene(), queue = make_queue_scene();
    MESSAGE(Chaos({locks.get(), queue.get()}, 2).kill_at_random(), " kills");
  }
  before.check();
}
