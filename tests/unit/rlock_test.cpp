#include "sync_test.hpp"

#include <rt/sync/rlock.hpp>

#include <mutex>

using namespace sync_test;
using rt::Errc;

TEST_CASE_TEMPLATE("an RLock can be taken again by its owner, in every way", L, rt::RLock, rt::SharedRLock) {
  L lock;
  CHECK(lock.depth() == 0);
  lock.lock();
  CHECK(lock.depth() == 1);
  lock.lock();
  CHECK(lock.depth() == 2);
  CHECK(lock.try_lock());
  CHECK(lock.depth() == 3);
  CHECK(lock.try_lock_for(0s).ok());
  CHECK(lock.depth() == 4);
  for (unsigned left = 3; left > 0; --left) {
    lock.unlock();
    CHECK(lock.depth() == left);
    CHECK(lock.locked());
  }
  lock.unlock();
  CHECK(lock.depth() == 0);
  CHECK(!lock.locked());
  CHECK(!lock.held());
}

TEST_CASE_TEMPLATE("each way of taking a free RLock counts as one", L, rt::RLock, rt::SharedRLock) {
  L lock;
  CHECK(lock.try_lock());
  CHECK(lock.depth() == 1);
  lock.unlock();
  CHECK(lock.try_lock_for(1s).ok());
  CHECK(lock.depth() == 1);
  lock.unlock();
  CHECK(!lock.locked());
}

TEST_CASE_TEMPLATE("an RLock excludes other tasks until the last unlock", L, rt::RLock, rt::SharedRLock) {
  L lock;
  lock.lock();
  lock.lock();
  const auto is_taken = [&] {
    CHECK(lock.locked());
    CHECK(!lock.held());
    CHECK(lock.depth() == 0);
    CHECK(!lock.try_lock());
    CHECK(lock.try_lock_for(moment).error() == Errc::timed_out);
  };
  Running(is_taken).join();
  lock.unlock();
  Running(is_taken).join();
  Running waiter([&] {
    lock.lock();
    CHECK(lock.depth() == 1);
    lock.unlock();
  });
  CHECK(waiter.comes_to_rest());
  lock.unlock();
  CHECK(waiter.join_for(limit).ok());
}

TEST_CASE_TEMPLATE("unlock_all frees an RLock and lock_again restores its depth", L, rt::RLock, rt::SharedRLock) {
  L lock;
  for (int i = 0; i < 3; ++i) lock.lock();
  const unsigned depth = lock.unlock_all();
  CHECK(depth == 3);
  CHECK(!lock.locked());
  lock.lock_again(depth);
  CHECK(lock.depth() == 3);
  lock.unlock_all();
}

TEST_CASE_TEMPLATE("standard guards work on an RLock, one inside the other", L, rt::RLock, rt::SharedRLock) {
  L lock, other;
  {
    const std::lock_guard outer(lock);
    std::unique_lock inner(lock);
    CHECK(lock.depth() == 2);
    const std::scoped_lock both(lock, other);
    CHECK(lock.depth() == 3);
    CHECK(other.depth() == 1);
  }
  CHECK(!lock.locked());
  CHECK(!other.locked());
}

TEST_CASE_TEMPLATE("only one task at a time is inside an RLock", L, rt::RLock, rt::SharedRLock) {
  L lock;
  long value = 0;
  {
    std::vector<std::unique_ptr<Running>> threads;
    for (int i = 0; i < 4; ++i)
      threads.push_back(std::make_unique<Running>([&] {
        for (int n = 0; n < 1000; ++n) {
          const std::lock_guard outer(lock);
          const std::lock_guard inner(lock);
          ++value;
        }
      }));
  }
  CHECK(value == 4000);
}

TEST_CASE_TEMPLATE("unlocking an RLock that the caller does not hold panics", L, rt::RLock, rt::SharedRLock) {
  const std::string_view message = "unlock of an RLock by a task that does not hold it";
  check_panics(message, [] { L().unlock(); });
  check_panics(message, [] { L().unlock_all(); });
  check_panics(message, [] {
    L lock;
    lock.lock();
    lock.unlock();
    lock.unlock();
  });
  check_panics(message, [] {
    L lock;
    Running([&] { lock.lock(); }).join();
    lock.unlock();
  });
}

TEST_CASE("a shared RLock excludes other processes") {
  struct Counter {
    rt::SharedRLock lock;
    long value = 0;
  };
  Mapped<Counter> counter;
  const auto count = [&] {
    for (int n = 0; n < 1000; ++n) {
      const std::lock_guard outer(counter->lock);
      const std::lock_guard inner(counter->lock);
      counter->value = counter->value + 1;
    }
    return true;
  };
  Child child(count);
  count();
  CHECK(child.end().exited_with(0));
  CHECK(counter->value == 2000);
}
