// Locks: one at a time, whoever comes in whatever way.

#include "tasks.hpp"

#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/shared_lock.hpp>

using namespace stress;

TEST_CASE_TEMPLATE("a lock excludes whoever comes in whatever way", L, rt::Lock, rt::SharedLock, rt::RLock,
                   rt::SharedRLock) {
  L lock;
  long value = 0; // plain, so that ThreadSanitizer would see two at a time
  std::atomic<long> taken = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      const unsigned way = turn.below(3);
      if (way == 0) {
        lock.lock();
      } else if (!(way == 1 ? lock.try_lock() : lock.try_lock_for(turn.timeout()).ok())) {
        continue;
      }
      const long before = value;
      turn.delay();
      value = before + 1;
      ++taken;
      lock.unlock();
      turn.delay();
    }
  });
  CHECK(value == taken);
  CHECK(!lock.locked());
}

TEST_CASE_TEMPLATE("an RLock's depth is its owner's", L, rt::RLock, rt::SharedRLock) {
  L lock;
  long value = 0;
  std::atomic<long> taken = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      const unsigned depth = 1 + turn.below(4);
      for (unsigned i = 0; i < depth; ++i) lock.lock();
      if (lock.depth() != depth) value = -1'000'000'000;
      ++value;
      ++taken;
      turn.delay();
      for (unsigned i = 0; i < depth; ++i) lock.unlock();
    }
  });
  CHECK(value == taken);
  CHECK(!lock.locked());
}
