// Semaphores: no permit is lost, none is there twice.

#include "tasks.hpp"

#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>

using namespace stress;

TEST_CASE_TEMPLATE("permits are conserved", S, rt::Semaphore, rt::SharedSemaphore) {
  constexpr unsigned permits = 2;
  S semaphore(permits);
  std::atomic<int> inside = 0;
  std::atomic<bool> too_many = false;
  std::atomic<long> taken = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      const unsigned way = turn.below(3);
      if (way == 0) {
        semaphore.acquire();
      } else if (!(way == 1 ? semaphore.try_acquire() : semaphore.try_acquire_for(turn.timeout()).ok())) {
        continue;
      }
      if (++inside > static_cast<int>(permits)) too_many = true;
      turn.delay();
      --inside;
      ++taken;
      semaphore.release();
      turn.delay();
    }
  });
  CHECK(!too_many);
  CHECK(semaphore.value() == permits);
}

TEST_CASE_TEMPLATE("every permit that is released is taken once", S, rt::Semaphore, rt::SharedSemaphore) {
  constexpr unsigned producers = tasks / 2, consumers = tasks - producers;
  S semaphore(0);
  std::atomic<long> released = 0, taken = 0;
  std::atomic<unsigned> producing = producers;
  std::atomic<bool> closed = false;
  run([&](Turn& turn) {
    if (turn.task() < producers) {
      while (turn.goes_on()) {
        const unsigned n = 1 + turn.below(3);
        released += n;
        semaphore.release(n);
        turn.delay();
        while (released - taken > 1000) rt::yield();
      }
      if (--producing == 0) {
        closed = true;
        semaphore.release(consumers); // one each, so that none waits for ever
      }
    } else {
      do {
        if (turn.below(2)) {
          while (!semaphore.try_acquire_for(turn.timeout())) {
          }
        } else {
          semaphore.acquire();
        }
        ++taken;
      } while (!closed || taken < released);
    }
  });
  while (semaphore.try_acquire()) ++taken;
  CHECK(taken == released + consumers);
}

TEST_CASE_TEMPLATE("a bounded semaphore never has more than its permits", S, rt::BoundedSemaphore,
                   rt::SharedBoundedSemaphore) {
  S semaphore(2);
  std::atomic<long> balance = 2;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      if (turn.below(2)) {
        if (semaphore.try_acquire_for(turn.timeout())) --balance;
      } else if (semaphore.release()) {
        ++balance;
      }
      turn.delay();
    }
  });
  CHECK(balance == semaphore.value());
  CHECK(semaphore.value() <= 2);
}
