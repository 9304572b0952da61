#include "sync_test.hpp"

#include <rt/sync/deadlock.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <algorithm>

using namespace sync_test;
using rt::DeadlockMember;
using rt::Errc;

namespace {

/// Tasks that each hold a lock and wait for the next one's. Whoever finds the dead lock gives the lock that it holds
/// away.
struct Ring {
  static constexpr std::size_t most = 5;

  std::size_t size;
  rt::Lock locks[most];
  std::atomic<bool> given_up[most] = {};
  std::atomic<unsigned> holding = 0;
  std::uint32_t ids[most] = {};
  rt::Event all_hold;

  std::atomic<int> reports = 0;
  std::vector<DeadlockMember> cycle;

  static inline Ring* current = nullptr;

  explicit Ring(std::size_t n) : size(n) {}

  static void resolve(std::span<const DeadlockMember> found) {
    Ring& ring = *current;
    if (ring.reports++ == 0) ring.cycle.assign(found.begin(), found.end());
    for (std::size_t i = 0; i < ring.size; ++i)
      if (ring.locks[i].held()) {
        ring.given_up[i] = true;
        ring.locks[i].unlock();
      }
  }

  void run() {
    current = this;
    rt::on_deadlock(resolve);
    {
      std::vector<std::unique_ptr<Running>> threads;
      for (std::size_t i = 0; i < size; ++i) {
        const std::string name = "task " + std::to_string(i);
        threads.push_back(std::make_unique<Running>(rt::ThreadOptions{.name = name}, [this, i] {
          ids[i] = rt::current_task().id;
          locks[i].lock();
          if (++holding == size) all_hold.set();
          all_hold.wait();
          rt::Lock& next = locks[(i + 1) % size];
          next.lock();
          next.unlock();
          if (!given_up[i]) locks[i].unlock();
        }));
      }
      for (auto& thread : threads) CHECK(thread->join_for(limit).ok());
    }
    rt::on_deadlock(nullptr);
  }

  void check_report() {
    REQUIRE(cycle.size() == size);
    for (std::size_t i = 0; i < size; ++i) {
      const auto self = static_cast<std::size_t>(std::ranges::find(ids, cycle[i].task) - ids);
      REQUIRE(self < size);
      CHECK(std::string(cycle[i].name.data()) == "task " + std::to_string(self));
      CHECK(cycle[i].waits_for == &locks[(self + 1) % size]);
      CHECK(cycle[(i + 1) % size].task == ids[(self + 1) % size]); // the lock's owner is the next member
    }
    for (const auto& lock : locks) CHECK(!lock.locked());
  }
};

std::atomic<int> relocks = 0;
rt::Lock relocked;
const void* relock_waits_for = nullptr;
std::uint32_t relock_task = 0;

void unlock_relocked(std::span<const DeadlockMember> cycle) {
  ++relocks;
  if (cycle.size() == 1) {
    relock_waits_for = cycle[0].waits_for;
    relock_task = cycle[0].task;
  }
  relocked.unlock();
}

std::atomic<int> false_reports = 0;

void count_false_report(std::span<const DeadlockMember>) { ++false_reports; }

/// Two tasks of which one gets tired; `lock_second` is how the second task takes the first one's lock.
template <class L> void hold_and_wait(bool with_limit) {
  L first, second;
  rt::Event first_held, second_held;
  Running one([&] {
    first.lock();
    first_held.set();
    second_held.wait();
    second.lock();
    second.unlock();
    first.unlock();
  });
  Running two([&] {
    second.lock();
    second_held.set();
    first_held.wait();
    if (with_limit) {
      CHECK(first.try_lock_for(400ms).error() == Errc::timed_out);
    } else {
      first.lock();
      first.unlock();
    }
    second.unlock();
  });
  one.join();
  two.join();
}

} // namespace

TEST_CASE("two tasks that wait for each other's locks are reported") {
  Ring ring(2);
  ring.run();
  ring.check_report();
}

TEST_CASE("three tasks that wait for each other's locks are reported") {
  Ring ring(3);
  ring.run();
  ring.check_report();
}

TEST_CASE("five tasks that wait for each other's locks are reported") {
  Ring ring(5);
  ring.run();
  ring.check_report();
}

TEST_CASE("a task that locks twice is reported at once, and goes on if the handler unlocks") {
  rt::on_deadlock(unlock_relocked);
  relocked.lock();
  const auto begin = std::chrono::steady_clock::now();
  relocked.lock();
  CHECK(std::chrono::steady_clock::now() - begin < limit);
  CHECK(relocks == 1);
  CHECK(relock_waits_for == &relocked);
  CHECK(relock_task == rt::current_task().id);
  CHECK(relocked.held());

  relocked.lock(); // the same once more
  CHECK(relocks == 2);
  CHECK(relocked.held());
  relocked.unlock();
  rt::on_deadlock(nullptr);
}

TEST_CASE("without a handler a task that locks twice ends the program with a report") {
  const ChildEnd end = in_child([] {
    rt::Lock lock;
    lock.lock();
    lock.lock();
    return true;
  });
  CHECK(end.aborted());
  CHECK_MESSAGE(end.says("deadlock: a task waits for a lock that it holds itself"), end.output);
}

TEST_CASE("a shared lock that is taken twice is reported as well") {
  const ChildEnd end = in_child([] {
    rt::SharedLock lock;
    lock.lock();
    lock.lock();
    return true;
  });
  CHECK(end.aborted());
  CHECK_MESSAGE(end.says("deadlock: "), end.output);
}

TEST_CASE("without a handler a dead lock ends the program with a report of who holds what") {
  const ChildEnd end = in_child([] {
    hold_and_wait<rt::Lock>(false);
    return true;
  });
  CHECK(end.aborted());
  CHECK_MESSAGE(end.says("deadlock: 2 tasks wait for each other's locks"), end.output);
  CHECK_MESSAGE(end.says("holds lock"), end.output);
  CHECK_MESSAGE(end.says("and waits for lock"), end.output);
}

TEST_CASE("a dead lock of RLocks is reported, too") {
  const ChildEnd end = in_child([] {
    hold_and_wait<rt::RLock>(false);
    return true;
  });
  CHECK(end.aborted());
  CHECK_MESSAGE(end.says("deadlock: 2 tasks wait for each other's locks"), end.output);
}

TEST_CASE("waiting with a time limit is no dead lock") {
  rt::on_deadlock(count_false_report);
  hold_and_wait<rt::Lock>(true);
  rt::on_deadlock(nullptr);
  CHECK(false_reports == 0);
}

TEST_CASE("waiting long for a lock whose owner is only slow is no dead lock") {
  rt::on_deadlock(count_false_report);
  rt::Lock lock;
  lock.lock();
  std::vector<std::unique_ptr<Running>> waiters;
  for (int i = 0; i < 3; ++i)
    waiters.push_back(std::make_unique<Running>([&] {
      lock.lock();
      lock.unlock();
    }));
  rt::sleep_for(300ms);
  lock.unlock();
  for (auto& waiter : waiters) CHECK(waiter->join_for(limit).ok());
  rt::on_deadlock(nullptr);
  CHECK(false_reports == 0);
}
