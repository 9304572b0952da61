// Wake-ups of fibers that meet something else: a cancel, a hub that falls asleep, a wait that has not begun.

#include "sync_test.hpp"

#include <rt/rt.hpp>

#include <atomic>
#include <random>

using namespace sync_test;
using rt::Errc;

TEST_CASE("a cancel by another thread reaches a hub that is just falling asleep") {
  const WithoutSpinning none;
  std::minstd_rand random(1);
  std::atomic<rt::Fiber<Errc>*> next = nullptr; // the canceler's, until it has taken it out
  std::atomic<bool> over = false;
  Running canceler([&] {
    while (!over) {
      rt::Fiber<Errc>* const fiber = next;
      if (!fiber) continue;
      dawdle(static_cast<unsigned>(random() % 2000));
      fiber->cancel();
      next = nullptr;
    }
  });
  const auto begin = rt::Clock::now();
  for (int round = 0; round < 20'000 && rt::Clock::now() - begin < 1s; ++round) {
    rt::Event ended;
    auto fiber = rt::spawn([&] {
      rt::Event never;
      const Errc error = never.wait_for(limit).error().code;
      ended.set();
      return error;
    });
    next = &fiber;
    ended.wait(); // not in join(): the handle is the canceler's
    while (next) {
    }
    const Errc error = fiber.join();
    if (error == Errc::canceled) continue;
    CHECK(error == Errc::canceled);
    break;
  }
  over = true;
}

TEST_CASE("a cancel that meets a hand-over leaves the permit with one of both") {
  const WithoutSpinning none;
  std::minstd_rand random(3);
  rt::Semaphore semaphore(0);
  rt::Queue<int> queue(1);
  long permits = 0, items = 0, released = 0;
  rt::Queue<unsigned> steps(1);
  rt::Queue<bool> done(1);
  Running giver([&] {
    while (auto wait = steps.get()) {
      dawdle(*wait);
      semaphore.release();
      CHECK(queue.put(1));
      done.put(true).value();
    }
  });
  for (int round = 0; round < 1500; ++round) {
    auto permit = rt::spawn([&] { return semaphore.try_acquire_for(limit).ok(); });
    auto item = rt::spawn([&] { return queue.get().ok(); });
    rt::yield();
    steps.put(static_cast<unsigned>(random() % 2000)).value();
    dawdle(static_cast<unsigned>(random() % 2000));
    permit.cancel();
    item.cancel();
    permits += permit.join();
    items += item.join();
    // The giver waits for space as long as the item has not been taken.
    REQUIRE(done.get());
    ++released;
    permits += semaphore.try_acquire();
    items += queue.try_get().ok();
    REQUIRE(permits == released);
    REQUIRE(items == released);
  }
  steps.shutdown();
  giver.join();
}

TEST_CASE("a condition's lock may block, and yield, while it is freed") {
  // Notified meanwhile, the fiber is made ready for a wait that it has not come to.
  struct Slow {
    rt::Lock lock_;
    rt::Event* freed;
    void lock() { lock_.lock(); }
    void unlock() {
      lock_.unlock();
      freed->set();
      rt::yield();
      rt::sleep_for(200us);
      rt::yield();
    }
  };
  for (int round = 0; round < 50; ++round) {
    rt::Event freed;
    Slow lock{{}, &freed};
    rt::Condition condition;
    bool notified = false;
    auto waiter = rt::spawn([&] {
      lock.lock();
      condition.wait(lock);
      CHECK(notified);
      lock.lock_.unlock();
    });
    Running notifier([&] {
      freed.wait();
      notified = true;
      condition.notify_one();
    });
    auto busy = rt::spawn([&] {
      for (int i = 0; i < 20; ++i) rt::sleep_for(20us);
    });
    REQUIRE(waiter.join_for(limit));
    busy.join();
    notifier.join();
  }
}
