#include "sync_test.hpp"

#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>

using namespace sync_test;
using rt::Errc;

#define ALL_SEMAPHORES rt::Semaphore, rt::SharedSemaphore, rt::BoundedSemaphore, rt::SharedBoundedSemaphore

namespace {

void give(auto& semaphore, unsigned n = 1) {
  if constexpr (std::is_void_v<decltype(semaphore.release(n))>)
    semaphore.release(n);
  else
    CHECK(semaphore.release(n).ok());
}

} // namespace

TEST_CASE_TEMPLATE("a semaphore has one permit if nothing is said", S, ALL_SEMAPHORES) {
  S semaphore;
  CHECK(semaphore.value() == 1);
  semaphore.acquire();
  CHECK(semaphore.value() == 0);
  CHECK(!semaphore.try_acquire());
  give(semaphore);
  CHECK(semaphore.value() == 1);
}

TEST_CASE_TEMPLATE("permits are taken one by one until there is none", S, ALL_SEMAPHORES) {
  S semaphore(3);
  semaphore.acquire();
  CHECK(semaphore.try_acquire());
  CHECK(semaphore.try_acquire_for(0s).ok());
  CHECK(semaphore.value() == 0);
  CHECK(!semaphore.try_acquire());
  CHECK(semaphore.try_acquire_for(0s).error() == Errc::timed_out);
  give(semaphore, 3);
  CHECK(semaphore.value() == 3);
}

TEST_CASE_TEMPLATE("try_acquire_for gives up when its time is over, and takes nothing", S, ALL_SEMAPHORES) {
  S semaphore(1);
  semaphore.acquire();
  const auto begin = std::chrono::steady_clock::now();
  CHECK(semaphore.try_acquire_for(moment).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= moment);
  CHECK(semaphore.value() == 0);
  give(semaphore);
  CHECK(semaphore.try_acquire());
  CHECK(!semaphore.try_acquire());
}

TEST_CASE_TEMPLATE("a waiter gets the permit that is released", S, ALL_SEMAPHORES) {
  S semaphore(1);
  semaphore.acquire();
  int value = 0;
  Running waiter([&] {
    semaphore.acquire();
    CHECK(value == 1);
  });
  CHECK(waiter.comes_to_rest());
  value = 1;
  give(semaphore);
  CHECK(waiter.join_for(limit).ok());
  CHECK(semaphore.value() == 0);
}

TEST_CASE_TEMPLATE("release of n lets n waiters through and no more", S, ALL_SEMAPHORES) {
  S semaphore(6);
  for (int i = 0; i < 6; ++i) semaphore.acquire();
  std::atomic<int> through = 0;
  std::vector<std::unique_ptr<Running>> waiters;
  for (int i = 0; i < 6; ++i)
    waiters.push_back(std::make_unique<Running>([&, i] {
      if (i % 2)
        semaphore.acquire();
      else
        CHECK(semaphore.try_acquire_for(limit).ok());
      ++through;
    }));
  for (auto& waiter : waiters) CHECK(waiter->comes_to_rest());
  give(semaphore, 2);
  CHECK(becomes([&] { return through == 2; }));
  CHECK(semaphore.value() == 0);
  give(semaphore, 1);
  CHECK(becomes([&] { return through == 3; }));
  rt::sleep_for(1ms);
  CHECK(through == 3);
  give(semaphore, 3);
  for (auto& waiter : waiters) CHECK(waiter->join_for(limit).ok());
  CHECK(semaphore.value() == 0);
}

TEST_CASE_TEMPLATE("a semaphore lets only so many tasks in at a time", S, ALL_SEMAPHORES) {
  S semaphore(2);
  std::atomic<int> inside = 0, most = 0;
  {
    std::vector<std::unique_ptr<Running>> threads;
    for (int i = 0; i < 4; ++i)
      threads.push_back(std::make_unique<Running>([&] {
        for (int n = 0; n < 500; ++n) {
          semaphore.acquire();
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          --inside;
          give(semaphore);
        }
      }));
  }
  CHECK(most <= 2);
  CHECK(semaphore.value() == 2);
}

TEST_CASE_TEMPLATE("a semaphore may start without permits and grow", S, rt::Semaphore, rt::SharedSemaphore) {
  S semaphore(0);
  CHECK(semaphore.value() == 0);
  CHECK(!semaphore.try_acquire());
  semaphore.release(5);
  CHECK(semaphore.value() == 5);
  semaphore.release(0);
  CHECK(semaphore.value() == 5);
}

TEST_CASE_TEMPLATE("releasing more permits than can be counted panics", S, rt::Semaphore, rt::SharedSemaphore) {
  check_panics("released more often than acquired", [] {
    S semaphore(S::most_permits);
    semaphore.release();
  });
  check_panics("released more often than acquired", [] {
    S semaphore(1);
    semaphore.release(S::most_permits);
  });
}

TEST_CASE_TEMPLATE("a bounded semaphore refuses to be released beyond its initial value", S, rt::BoundedSemaphore,
                   rt::SharedBoundedSemaphore) {
  S semaphore(2);
  CHECK(semaphore.release().error() == Errc::over_released);
  CHECK(semaphore.value() == 2);
  semaphore.acquire();
  CHECK(semaphore.release(2).error() == Errc::over_released);
  CHECK(semaphore.value() == 1);
  CHECK(semaphore.release(0xffffffff).error() == Errc::over_released);
  CHECK(semaphore.value() == 1);
  CHECK(semaphore.release(1).ok());
  CHECK(semaphore.value() == 2);
}

TEST_CASE("a shared semaphore's permits go from process to process") {
  struct Pair {
    rt::SharedSemaphore there{0}, back{0};
    rt::SharedBoundedSemaphore bounded{1};
  };
  Mapped<Pair> pair;
  pair->bounded.acquire();
  Child child([&] {
    if (pair->bounded.try_acquire() || pair->bounded.release(2).ok()) return false;
    for (int i = 0; i < 100; ++i) {
      pair->there.acquire();
      pair->back.release();
    }
    return pair->bounded.release().ok();
  });
  for (int i = 0; i < 100; ++i) {
    pair->there.release();
    CHECK(pair->back.try_acquire_for(limit).ok());
  }
  CHECK(child.end().exited_with(0));
  CHECK(pair->there.value() == 0);
  CHECK(pair->back.value() == 0);
  CHECK(pair->bounded.value() == 1);
}
