#include "sync_test.hpp"

#include <rt/sync/condition.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <mutex>

using namespace sync_test;
using rt::Errc;

namespace {

/// Tasks that wait on one Condition, in the order in which they were added.
class Waiters {
 public:
  rt::Lock lock;
  rt::Condition condition;

  /// Returns when the new task waits: it has counted itself with the lock held, and waiting has freed the lock.
  void add() {
    const int before = waiting();
    done_.push_back(std::make_unique<std::atomic<bool>>(false));
    threads_.push_back(std::make_unique<Running>([this, done = done_.back().get()] {
      const std::lock_guard guard(lock);
      ++waiting_;
      condition.wait(lock);
      *done = true;
    }));
    CHECK(becomes([&] { return waiting() == before + 1; }));
  }
  int waiting() {
    const std::lock_guard guard(lock);
    return waiting_;
  }
  bool ends(std::size_t i) { return threads_[i]->join_for(limit).ok(); }
  int done() const {
    int count = 0;
    for (const auto& each : done_) count += *each;
    return count;
  }

 private:
  int waiting_ = 0;
  std::vector<std::unique_ptr<std::atomic<bool>>> done_;
  std::vector<std::unique_ptr<Running>> threads_;
};

template <class M> void check_hand_over(M& mutex, auto& lock) {
  rt::Condition condition;
  int value = 0;
  Running other([&] {
    const std::lock_guard guard(mutex); // free while the first one waits
    value = 1;
    condition.notify_one();
  });
  condition.wait(lock, [&] { return value == 1; });
  CHECK(mutex.held());
}

} // namespace

TEST_CASE_TEMPLATE("waiting frees the lock and takes it back", M, rt::Lock, rt::SharedLock, rt::RLock,
                   rt::SharedRLock) {
  M mutex;
  mutex.lock();
  check_hand_over(mutex, mutex);
  mutex.unlock();
  std::unique_lock lock(mutex);
  check_hand_over(mutex, lock);
  CHECK(lock.owns_lock());
  lock.unlock();
  CHECK(!mutex.locked());
}

TEST_CASE_TEMPLATE("waiting frees an RLock however often it was taken, and takes it as often again", M, rt::RLock,
                   rt::SharedRLock) {
  M mutex;
  std::unique_lock lock(mutex);
  mutex.lock();
  mutex.lock();
  CHECK(mutex.depth() == 3);
  check_hand_over(mutex, lock);
  CHECK(mutex.depth() == 3);
  rt::Condition condition;
  CHECK(condition.wait_for(mutex, 0s).error() == Errc::timed_out);
  CHECK(mutex.depth() == 3);
  mutex.unlock();
  mutex.unlock();
}

TEST_CASE("a condition works with any lockable") {
  std::mutex mutex;
  rt::Condition condition;
  bool told = false;
  mutex.lock();
  Running other([&] {
    const std::lock_guard guard(mutex);
    told = true;
    condition.notify_all();
  });
  condition.wait(mutex, [&] { return told; });
  mutex.unlock();
  CHECK(other.join_for(limit).ok());
}

TEST_CASE("notify_one ends the wait of the task that has waited longest") {
  Waiters waiters;
  for (int i = 0; i < 5; ++i) waiters.add();
  for (int i = 0; i < 5; ++i) {
    waiters.condition.notify_one();
    CHECK(waiters.ends(i));
    CHECK(waiters.done() == i + 1);
  }
}

TEST_CASE("notify ends the wait of exactly the first n") {
  Waiters waiters;
  for (int i = 0; i < 6; ++i) waiters.add();
  {
    const std::lock_guard guard(waiters.lock);
    waiters.condition.notify(0);
    waiters.condition.notify(3);
  }
  for (int i = 0; i < 3; ++i) CHECK(waiters.ends(i));
  CHECK(waiters.done() == 3);
  waiters.condition.notify(2);
  for (int i = 3; i < 5; ++i) CHECK(waiters.ends(i));
  CHECK(waiters.done() == 5);
  waiters.condition.notify(100);
  CHECK(waiters.ends(5));
}

TEST_CASE("notify_all ends the wait of all who wait") {
  Waiters waiters;
  for (int i = 0; i < 10; ++i) waiters.add();
  waiters.condition.notify_all();
  for (int i = 0; i < 10; ++i) CHECK(waiters.ends(i));
}

TEST_CASE("a notification that finds nobody is not kept for later") {
  rt::Lock lock;
  rt::Condition condition;
  condition.notify_one();
  condition.notify(5);
  condition.notify_all();
  const std::lock_guard guard(lock);
  CHECK(condition.wait_for(lock, moment).error() == Errc::timed_out);
}

TEST_CASE("a latecomer cannot take the notification of one who waited before") {
  for (int round = 0; round < 20; ++round) {
    Waiters waiters;
    waiters.add();
    {
      const std::lock_guard guard(waiters.lock);
      waiters.condition.notify_one();
      // The one who was notified has not got the lock yet; this task waits behind it.
      CHECK(waiters.condition.wait_for(waiters.lock, 1ms).error() == Errc::timed_out);
    }
    CHECK(waiters.ends(0));
  }
}

TEST_CASE("wait_for gives up when its time is over, with the lock held") {
  rt::Lock lock;
  rt::Condition condition;
  const std::lock_guard guard(lock);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(condition.wait_for(lock, moment).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= moment);
  CHECK(lock.held());
  CHECK(condition.wait_for(lock, -1s).error() == Errc::timed_out);
  CHECK(lock.held());
}

TEST_CASE("wait_for is ended by a notification") {
  rt::Lock lock;
  rt::Condition condition;
  const std::lock_guard guard(lock);
  Running other([&] {
    const std::lock_guard inner(lock);
    condition.notify_one();
  });
  CHECK(condition.wait_for(lock, limit).ok());
  CHECK(lock.held());
}

TEST_CASE("a task that has given up is not notified any more") {
  Waiters waiters;
  {
    const std::lock_guard guard(waiters.lock);
    CHECK(waiters.condition.wait_for(waiters.lock, 1ms).error() == Errc::timed_out);
  }
  waiters.add();
  waiters.condition.notify_one();
  CHECK(waiters.ends(0));
}

TEST_CASE("a task may give up between others that wait") {
  Waiters waiters;
  waiters.add();
  std::atomic<bool> waits = false;
  Running impatient([&] {
    const std::lock_guard guard(waiters.lock);
    waits = true;
    CHECK(waiters.condition.wait_for(waiters.lock, moment).error() == Errc::timed_out);
  });
  CHECK(becomes([&] { return waits.load(); }));
  waiters.add();
  CHECK(impatient.join_for(limit).ok());
  waiters.condition.notify(2);
  CHECK(waiters.ends(0));
  CHECK(waiters.ends(1));
}

TEST_CASE("waiting for what is true already returns at once, and nobody has to notify") {
  rt::Lock lock;
  rt::Condition condition;
  const std::lock_guard guard(lock);
  condition.wait(lock, [] { return true; });
  CHECK(condition.wait_for(lock, 0s, [] { return true; }));
}

TEST_CASE("wait_for with a predicate says in the end whether it is true") {
  rt::Lock lock;
  rt::Condition condition;
  int value = 0;
  {
    const std::lock_guard guard(lock);
    CHECK(!condition.wait_for(lock, moment, [&] { return value == 1; }));
    CHECK(condition.wait_for(lock, moment, [&, calls = 0]() mutable { return ++calls == 2; }));
  }
  Running other([&] {
    for (int i = 1; i <= 3; ++i) {
      const std::lock_guard inner(lock);
      value = i;
      condition.notify_all();
    }
  });
  const std::lock_guard guard(lock);
  CHECK(condition.wait_for(lock, limit, [&] { return value == 3; }));
  CHECK(lock.held());
}

TEST_CASE("waiting without holding the lock panics") {
  check_panics("unlock of a Lock that nobody holds", [] {
    rt::Lock lock;
    rt::Condition condition;
    condition.wait(lock);
  });
  check_panics("unlock of an RLock", [] {
    rt::RLock lock;
    rt::Condition condition;
    (void)condition.wait_for(lock, 1s);
  });
}

TEST_CASE("a condition may be destroyed once all who waited have been notified") {
  for (int round = 0; round < 50; ++round) {
    rt::Lock lock;
    auto condition = std::make_unique<rt::Condition>();
    std::atomic<int> waiting = 0;
    std::vector<std::unique_ptr<Running>> threads;
    for (int i = 0; i < 3; ++i)
      threads.push_back(std::make_unique<Running>([&] {
        const std::lock_guard guard(lock);
        ++waiting;
        condition->wait(lock);
      }));
    CHECK(becomes([&] { return waiting == 3; }));
    const std::lock_guard guard(lock);
    condition->notify_all();
    condition.reset();
    lock.unlock();
    for (auto& thread : threads) CHECK(thread->join_for(limit).ok());
    lock.lock();
  }
}
