#include <doctest/doctest.h>

#include <rt/base/futex_lock.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

TEST_CASE("FutexLock: critical sections of four threads never overlap") {
  rt::FutexLock lock;
  std::uint64_t counter = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < 50'000; ++i) {
        if (n == 3 && !lock.try_lock()) continue; // counted below
        if (n != 3) lock.lock();
        ++counter;
        lock.unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counter >= 150'000);
  CHECK(counter <= 200'000);
  CHECK(lock.try_lock());
  CHECK_FALSE(lock.try_lock());
  lock.unlock();
}

TEST_CASE("FutexLock: threads that sleep for it are all woken in turn") {
  rt::FutexLock lock;
  int woken = 0;
  lock.lock();
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&] {
      std::lock_guard guard(lock);
      ++woken;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  lock.unlock();
  for (std::thread& thread : threads) thread.join();
  CHECK(woken == 8);
}
