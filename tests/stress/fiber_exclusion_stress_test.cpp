// Locks and semaphores among fibers and threads: no more inside than may be, and no permit lost or doubled.

#include "mixture.hpp"

#include <atomic>

using namespace stress;

TEST_CASE_TEMPLATE("fibers and threads exclude each other by a lock", L, rt::Lock, rt::RLock) {
  L lock;
  Guarded guarded;
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(3);
        if (way == 0) {
          lock.lock();
        } else if (!(way == 1 ? lock.try_lock() : lock.try_lock_for(turn.timeout()).ok())) {
          return;
        }
        guarded.use(turn);
        lock.unlock();
        turn.delay();
      },
      nothing);
  CHECK(guarded.value == guarded.taken);
  CHECK(!lock.locked());
}

TEST_CASE("fibers and threads hand permits around") {
  constexpr int permits = 3;
  rt::Semaphore semaphore(permits);
  std::atomic<int> inside = 0;
  std::atomic<bool> too_many = false;
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(3);
        if (way == 0) {
          semaphore.acquire();
        } else if (!(way == 1 ? semaphore.try_acquire() : semaphore.try_acquire_for(turn.timeout()).ok())) {
          return;
        }
        if (++inside > permits) too_many = true;
        turn.delay();
        --inside;
        semaphore.release();
      },
      nothing);
  CHECK(!too_many);
  CHECK(semaphore.value() == permits);
}

TEST_CASE("a permit that meets a cancel or a time limit is taken once, or still there") {
  rt::Semaphore semaphore(0);
  std::atomic<long> released = 0, taken = 0;
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(8);
        if (way < 3) {
          const unsigned n = 1 + turn.below(3);
          released += n;
          semaphore.release(n);
          rt::yield();
        } else if (way == 3) {
          semaphore.acquire();
          ++taken;
        } else {
          taken += semaphore.try_acquire_for(way == 4 ? rt::forever : turn.timeout()).ok();
        }
      },
      [&] {
        released += 1000;
        semaphore.release(1000);
      });
  CHECK(released == taken + semaphore.value());
}
