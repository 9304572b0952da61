// Every primitive with threads on clone(2): what the unit tests check hosted must hold on our own thread pointer and
// futexes.

#include "check.hpp"

#include <rt/rt.hpp>

#include <mutex>
#include <vector>

using namespace std::chrono_literals;

namespace {

template <class F> void in_threads(int count, F body) {
  std::vector<rt::Thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&body, i] { body(i); });
    CHECK(threads.back().start().ok());
  }
  for (auto& thread : threads) thread.join();
}

} // namespace

RT_CASE("a Lock lets one thread in at a time") {
  rt::Lock lock;
  long counter = 0;
  in_threads(4, [&](int) {
    for (int i = 0; i < 50'000; ++i) {
      const std::lock_guard guard(lock);
      counter = counter + 1;
    }
  });
  CHECK(counter == 200'000);
}

RT_CASE("an RLock can be taken again by its owner only") {
  rt::RLock lock;
  lock.lock();
  lock.lock();
  CHECK(lock.depth() == 2);
  in_threads(1, [&](int) {
    CHECK(!lock.try_lock());
    CHECK(lock.try_lock_for(1ms).error() == rt::Errc::timed_out);
  });
  lock.unlock();
  lock.unlock();
  in_threads(1, [&](int) {
    CHECK(lock.try_lock());
    lock.unlock();
  });
}

RT_CASE("a Condition hands turns to and fro") {
  rt::Lock lock;
  rt::Condition condition;
  int turn = 0;
  in_threads(2, [&](int self) {
    for (int i = 0; i < 1000; ++i) {
      const std::lock_guard guard(lock);
      condition.wait(lock, [&] { return turn == self; });
      turn = 1 - self;
      condition.notify_all();
    }
  });
  CHECK(turn == 0);
}

RT_CASE("an Event releases all waiters") {
  rt::Event event;
  std::atomic<int> released = 0;
  in_threads(5, [&](int self) {
    if (self == 4) {
      rt::sleep_for(5ms);
      event.set();
    }
    event.wait();
    ++released;
  });
  CHECK(released == 5);
  event.clear();
  CHECK(event.wait_for(1ms).error() == rt::Errc::timed_out);
}

RT_CASE("a Semaphore lets in as many as it has permits") {
  rt::Semaphore semaphore(3);
  std::atomic<int> inside = 0, most = 0;
  in_threads(12, [&](int) {
    semaphore.acquire();
    const int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    rt::sleep_for(1ms);
    --inside;
    semaphore.release();
  });
  CHECK(most <= 3);
  CHECK(semaphore.value() == 3);
}

RT_CASE("a BoundedSemaphore refuses more than it began with") {
  rt::BoundedSemaphore semaphore(1);
  CHECK(semaphore.release().error() == rt::Errc::over_released);
  CHECK(semaphore.try_acquire());
  CHECK(semaphore.release().ok());
}

RT_CASE("a Barrier releases its parties together, with different indices") {
  rt::Barrier barrier(4);
  std::atomic<unsigned> indices = 0;
  in_threads(4, [&](int) { indices += 1u << (8 * barrier.wait().value()); });
  CHECK(indices == 0x01010101);
}

RT_CASE("a Queue carries every item once") {
  rt::Queue<int> queue(8);
  std::atomic<long> sum = 0;
  in_threads(4, [&](int self) {
    for (int i = 1; i <= 10'000; ++i) {
      if (self < 2)
        CHECK(queue.put(i).ok());
      else
        sum += queue.get().value();
    }
  });
  CHECK(sum == 2 * 10'000l * 10'001 / 2);
}

RT_CASE_ENDS("a Lock that its owner takes again is reported as a dead lock", bare::by_signal(6), "holds itself") {
  rt::Lock lock;
  lock.lock();
  lock.lock();
}

RT_CASE_ENDS("an unlock by another thread is a panic", bare::by_signal(6), "does not hold it") {
  static rt::Lock lock;
  lock.lock();
  in_threads(1, [](int) { lock.unlock(); });
}

RT_CASE_ENDS("two threads that take two locks in opposite order are reported with their names", bare::by_signal(6),
             "2 tasks wait for each other's locks") {
  static rt::Lock a, b;
  static rt::Barrier both_have_one(2);
  in_threads(2, [](int self) {
    rt::Lock& first = self ? a : b;
    rt::Lock& second = self ? b : a;
    first.lock();
    (void)both_have_one.wait();
    second.lock();
  });
}
