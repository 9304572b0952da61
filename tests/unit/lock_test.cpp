#include "sync_test.hpp"

#include <rt/sync/lock.hpp>
#include <rt/sync/shared_lock.hpp>

#include <mutex>

using namespace sync_test;
using rt::Errc;

TEST_CASE_TEMPLATE("a lock is locked between lock and unlock", L, rt::Lock, rt::SharedLock) {
  L lock;
  CHECK(!lock.locked());
  CHECK(!lock.held());
  lock.lock();
  CHECK(lock.locked());
  CHECK(lock.held());
  lock.unlock();
  CHECK(!lock.locked());
  CHECK(!lock.held());
}

TEST_CASE_TEMPLATE("try_lock takes a free lock and fails on one that is held", L, rt::Lock, rt::SharedLock) {
  L lock;
  CHECK(lock.try_lock());
  CHECK(!lock.try_lock());
  Running([&] {
    CHECK(!lock.try_lock());
    CHECK(lock.locked());
    CHECK(!lock.held());
  }).join();
  lock.unlock();
  Running([&] {
    CHECK(lock.try_lock());
    lock.unlock();
  }).join();
}

TEST_CASE_TEMPLATE("try_lock_for gives up when its time is over", L, rt::Lock, rt::SharedLock) {
  L lock;
  lock.lock();
  Running([&] {
    const auto begin = std::chrono::steady_clock::now();
    CHECK(lock.try_lock_for(moment).error() == Errc::timed_out);
    CHECK(std::chrono::steady_clock::now() - begin >= moment);
    CHECK(lock.try_lock_for(0s).error() == Errc::timed_out);
    CHECK(lock.try_lock_for(-1s).error() == Errc::timed_out);
  }).join();
  lock.unlock();
  CHECK(lock.try_lock_for(0s).ok());
  lock.unlock();
}

TEST_CASE_TEMPLATE("try_lock_for says deadlock to the task that holds the lock", L, rt::Lock, rt::SharedLock) {
  L lock;
  lock.lock();
  CHECK(lock.try_lock_for(limit).error() == Errc::deadlock);
  CHECK(lock.held());
  lock.unlock();
}

TEST_CASE_TEMPLATE("a waiter is woken when the holder unlocks", L, rt::Lock, rt::SharedLock) {
  L lock;
  int value = 0;
  lock.lock();
  Running waiter([&] {
    lock.lock();
    CHECK(value == 1);
    value = 2;
    lock.unlock();
  });
  CHECK(waiter.comes_to_rest());
  value = 1;
  lock.unlock();
  CHECK(waiter.join_for(limit).ok());
  lock.lock();
  CHECK(value == 2);
  lock.unlock();
}

TEST_CASE_TEMPLATE("a waiter with a time limit is woken when the holder unlocks", L, rt::Lock, rt::SharedLock) {
  L lock;
  lock.lock();
  Running waiter([&] {
    CHECK(lock.try_lock_for(limit).ok());
    lock.unlock();
  });
  CHECK(waiter.comes_to_rest());
  lock.unlock();
  CHECK(waiter.join_for(limit).ok());
}

TEST_CASE_TEMPLATE("all waiters get the lock, one after the other", L, rt::Lock, rt::SharedLock) {
  L lock;
  int value = 0;
  lock.lock();
  {
    std::vector<std::unique_ptr<Running>> waiters;
    for (int i = 0; i < 8; ++i)
      waiters.push_back(std::make_unique<Running>([&] {
        lock.lock();
        ++value;
        lock.unlock();
      }));
    for (auto& waiter : waiters) CHECK(waiter->comes_to_rest());
    CHECK(value == 0);
    lock.unlock();
    for (auto& waiter : waiters) CHECK(waiter->join_for(limit).ok());
  }
  CHECK(value == 8);
  CHECK(!lock.locked());
}

TEST_CASE_TEMPLATE("a waiter that gives up does not keep the next from being woken", L, rt::Lock, rt::SharedLock) {
  L lock;
  lock.lock();
  Running impatient([&] { CHECK(lock.try_lock_for(moment).error() == Errc::timed_out); });
  Running patient([&] {
    lock.lock();
    lock.unlock();
  });
  CHECK(patient.comes_to_rest());
  CHECK(impatient.join_for(limit).ok());
  lock.unlock();
  CHECK(patient.join_for(limit).ok());
}

TEST_CASE_TEMPLATE("standard guards work on a lock", L, rt::Lock, rt::SharedLock) {
  L first, second;
  {
    const std::lock_guard guard(first);
    CHECK(first.held());
  }
  CHECK(!first.locked());
  {
    std::unique_lock lock(first, std::try_to_lock);
    CHECK(lock.owns_lock());
    lock.unlock();
    CHECK(!first.locked());
    lock.lock();
    CHECK(first.held());
  }
  CHECK(!first.locked());
  {
    const std::scoped_lock both(first, second);
    CHECK(first.held());
    CHECK(second.held());
  }
  CHECK(!first.locked());
  CHECK(!second.locked());
}

TEST_CASE_TEMPLATE("only one task at a time is between lock and unlock", L, rt::Lock, rt::SharedLock) {
  L lock;
  long value = 0;
  {
    std::vector<std::unique_ptr<Running>> threads;
    for (int i = 0; i < 4; ++i)
      threads.push_back(std::make_unique<Running>([&] {
        for (int n = 0; n < 2000; ++n) {
          const std::lock_guard guard(lock);
          ++value;
        }
      }));
  }
  CHECK(value == 8000);
}

TEST_CASE_TEMPLATE("unlocking a lock that is not held panics", L, rt::Lock, rt::SharedLock) {
  check_panics("Lock that nobody holds", [] {
    L lock;
    lock.unlock();
  });
  check_panics("Lock that nobody holds", [] {
    L lock;
    lock.lock();
    lock.unlock();
    lock.unlock();
  });
}

TEST_CASE("unlocking a free lock panics in a thread that is new to the runtime, too") {
  check_panics("unlock of a Lock that nobody holds", [] {
    rt::Lock lock;
    rt::current_task_id = 0;
    lock.unlock();
  });
}

TEST_CASE_TEMPLATE("unlocking another task's lock panics and says whose it is", L, rt::Lock, rt::SharedLock) {
  check_panics("Lock by a task that does not hold it", [] {
    L lock;
    Running holder([&] {
      lock.lock();
      rt::sleep_for(limit);
    });
    CHECK(becomes([&] { return lock.locked(); }));
    lock.unlock();
  });
}

TEST_CASE("a shared lock excludes other processes") {
  struct Counter {
    rt::SharedLock lock;
    long value = 0;
  };
  Mapped<Counter> counter;
  const auto count = [&] {
    for (int n = 0; n < 2000; ++n) {
      const std::lock_guard guard(counter->lock);
      counter->value = counter->value + 1;
    }
    return true;
  };
  Child first(count), second(count);
  count();
  CHECK(first.end().exited_with(0));
  CHECK(second.end().exited_with(0));
  CHECK(counter->value == 6000);
}

TEST_CASE("a shared lock's waiter is woken from another process") {
  Mapped<rt::SharedLock> lock;
  lock->lock();
  Child child([&] {
    if (lock->try_lock() || lock->held() || !lock->locked()) return false;
    lock->lock();
    lock->unlock();
    return true;
  });
  rt::sleep_for(moment);
  lock->unlock();
  CHECK(child.end().exited_with(0));
}
