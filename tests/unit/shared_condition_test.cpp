#include "sync_test.hpp"

#include <rt/sync/rlock.hpp>
#include <rt/sync/shared_condition.hpp>

#include <mutex>

using namespace sync_test;
using rt::Errc;

namespace {

struct Shared {
  rt::SharedLock lock;
  rt::SharedRLock again;
  rt::SharedCondition condition;
  int turn = 0;
  int waiting = 0;
  int woken[4] = {};
  long handed = 0, taken = 0;
};

} // namespace

TEST_CASE("processes hand a turn to each other by a shared condition") {
  constexpr int rounds = 500;
  Mapped<Shared> shared;
  const auto play = [&](int self) {
    for (int round = 0; round < rounds; ++round) {
      std::unique_lock guard(shared->lock);
      shared->condition.wait(guard, [&] { return shared->turn % 2 == self; });
      ++shared->turn;
      shared->condition.notify_one();
    }
    return true;
  };
  Child child([&] { return play(1); });
  CHECK(play(0));
  CHECK(child.end().exited_with(0));
  CHECK(shared->turn == 2 * rounds);
}

TEST_CASE("notify ends the waits of those who have waited longest, whatever their process") {
  Mapped<Shared> shared;
  const auto wait = [&](int index) {
    const std::lock_guard guard(shared->again);
    shared->again.lock(); // waiting frees an RLock altogether
    ++shared->waiting;
    shared->condition.wait(shared->again);
    shared->woken[index] = 1;
    const bool deep = shared->again.depth() == 2;
    shared->again.unlock();
    return deep;
  };
  const auto value = [&](auto read) {
    const std::lock_guard guard(shared->again);
    return read();
  };
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&, i] { return wait(i); }));
    CHECK(becomes([&] { return value([&] { return shared->waiting == i + 1; }); }));
  }
  shared->condition.notify(3);
  for (int i = 0; i < 3; ++i) CHECK(children[static_cast<std::size_t>(i)]->end().exited_with(0));
  CHECK(value([&] { return shared->woken[0] + shared->woken[1] + shared->woken[2]; }) == 3);
  CHECK(value([&] { return shared->woken[3]; }) == 0);
  shared->condition.notify_all();
  CHECK(children[3]->end().exited_with(0));
}

TEST_CASE("waiting at a shared condition ends with the time, with the lock held") {
  Mapped<Shared> shared;
  const std::lock_guard guard(shared->lock);
  CHECK(shared->condition.wait_for(shared->lock, 5ms).error() == Errc::timed_out);
  CHECK(shared->lock.held());
  CHECK_FALSE(shared->condition.wait_for(shared->lock, 5ms, [] { return false; }));
  CHECK(shared->condition.wait_for(shared->lock, limit, [] { return true; }));
  // All slots are free again: as many waits as there are.
  for (unsigned i = 0; i < 2 * rt::SharedCondition::most_waiters; ++i)
    CHECK(shared->condition.wait_for(shared->lock, 0ms).error() == Errc::timed_out);
}

TEST_CASE("a wait at a shared condition that times out takes no notification with it") {
  constexpr long items = 2000;
  Mapped<Shared> shared;
  // Two consumers with short time limits: each item's notification reaches one that waits, or nobody waits.
  const auto consume = [&] {
    std::unique_lock guard(shared->lock);
    while (shared->taken < items) {
      if (shared->taken == shared->handed)
        (void)shared->condition.wait_for(guard, std::chrono::microseconds(100));
      else
        ++shared->taken;
    }
    return true;
  };
  Child first(consume), second(consume);
  for (long i = 0; i < items; ++i) {
    const std::lock_guard guard(shared->lock);
    ++shared->handed;
    shared->condition.notify_one();
  }
  CHECK(first.end().exited_with(0));
  CHECK(second.end().exited_with(0));
  CHECK(shared->taken == items);
}
