#include <rt/sync/queue.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using rt::Errc;
using rt::LifoQueue;
using rt::PriorityQueue;
using rt::Queue;

namespace {

std::chrono::duration<double> stress_time() {
  const char* seconds = std::getenv("RT_STRESS_SECONDS");
  return std::chrono::duration<double>(seconds ? std::atof(seconds) : 0.3);
}

constexpr auto moment = 20ms; // in which another thread comes to rest in a blocking call

/// A type that is neither default-constructible nor copyable and counts its instances that own something.
struct Owner {
  explicit Owner(int number) : value(std::make_unique<int>(number)) { ++alive; }
  Owner(Owner&& other) noexcept : value(std::move(other.value)) {}
  Owner& operator=(Owner&& other) noexcept {
    if (value) --alive;
    value = std::move(other.value);
    return *this;
  }
  ~Owner() {
    if (value) --alive;
  }
  friend bool operator<(const Owner& a, const Owner& b) { return *a.value < *b.value; }

  std::unique_ptr<int> value;
  static inline std::atomic<int> alive = 0;
};

} // namespace

#define ALL_KINDS Queue<int>, LifoQueue<int>, PriorityQueue<int>

TEST_CASE("a Queue gives the items in the order in which they were put, bounded or not") {
  for (std::size_t maxsize : {0, 1, 2, 3, 7, 8, 1000, 100'000}) {
    Queue<int> queue(maxsize);
    int put = 0, got = 0;
    for (int round = 0; round < 50; ++round) {
      for (int i = 0; i < 1 + round % 9 && !queue.full(); ++i) CHECK(queue.put(put++).ok());
      CHECK(queue.size() == static_cast<std::size_t>(put - got));
      for (int i = 0; i < 1 + round % 7 && !queue.empty(); ++i) CHECK(queue.get().value() == got++);
    }
    while (!queue.empty()) CHECK(queue.get().value() == got++);
    CHECK(put == got);
  }
}

TEST_CASE("an unbounded Queue grows while its items stand across its end") {
  Queue<std::string> queue;
  int put = 0, got = 0;
  for (int i = 0; i < 10; ++i) queue.put(std::to_string(put++));
  for (int i = 0; i < 8; ++i) CHECK(queue.get().value() == std::to_string(got++));
  for (int i = 0; i < 500; ++i) queue.put(std::to_string(put++));
  CHECK_FALSE(queue.full());
  while (got != put) CHECK(queue.get().value() == std::to_string(got++));
}

TEST_CASE("a LifoQueue gives the youngest item first") {
  LifoQueue<int> queue;
  for (int i = 0; i < 5; ++i) queue.put(i);
  for (int i = 4; i >= 0; --i) CHECK(queue.get().value() == i);
}

TEST_CASE("a PriorityQueue gives the least item first, by the comparison that it was given") {
  PriorityQueue<int> least;
  PriorityQueue<int, std::greater<>> greatest;
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const int number = static_cast<int>(random() % 100);
    least.put(number);
    greatest.put(number);
  }
  for (int last = -1; !least.empty();) {
    const int next = least.get().value();
    CHECK(next >= last);
    last = next;
  }
  for (int last = 100; !greatest.empty();) {
    const int next = greatest.get().value();
    CHECK(next <= last);
    last = next;
  }
  PriorityQueue<int, bool (*)(const int&, const int&)> by_last_digit(
      0, [](const int& a, const int& b) { return a % 10 < b % 10; });
  for (int number : {19, 25, 31}) by_last_digit.put(number);
  CHECK(by_last_digit.get().value() == 31);
}

TEST_CASE_TEMPLATE("a full queue says so, and an empty one too", Kind, ALL_KINDS) {
  Kind queue(1);
  CHECK(queue.try_get().error() == Errc::empty);
  CHECK(queue.get_for(0s).error() == Errc::timed_out);
  CHECK(queue.try_put(1).ok());
  CHECK(queue.full());
  CHECK(queue.try_put(2).error() == Errc::full);
  CHECK(queue.put_for(2, 0s).error() == Errc::timed_out);
  CHECK(queue.put_for(2, 1ms).error() == Errc::timed_out);
  CHECK(queue.try_get().value() == 1);
  CHECK(queue.get_for(1ms).error() == Errc::timed_out);
  CHECK(queue.empty());
  CHECK(queue.put_for(3, 1ms).ok());
  CHECK(queue.get_for(1ms).value() == 3);
}

TEST_CASE_TEMPLATE("a timeout is waited for to the end and not much longer", Kind, ALL_KINDS) {
  Kind queue(1);
  auto begin = std::chrono::steady_clock::now();
  CHECK(queue.get_for(30ms).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= 30ms);
  queue.put(1);
  begin = std::chrono::steady_clock::now();
  CHECK(queue.put_for(1, 30ms).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= 30ms);
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
}

TEST_CASE_TEMPLATE("get waits for an item, put for space", Kind, ALL_KINDS) {
  Kind queue(1);
  std::thread getter([&] {
    CHECK(queue.get().value() == 1);
    std::this_thread::sleep_for(moment);
    CHECK(queue.get().value() == 2);
    CHECK(queue.get_for(10s).value() == 3);
  });
  std::this_thread::sleep_for(moment);
  CHECK(queue.put(1).ok());
  CHECK(queue.put(2).ok());
  CHECK(queue.put_for(3, 10s).ok());
  getter.join();
  CHECK(queue.empty());
}

TEST_CASE_TEMPLATE("items may be movable only, and those left over are destroyed", Kind, Queue<Owner>, LifoQueue<Owner>,
                   PriorityQueue<Owner>) {
  for (std::size_t maxsize : {0, 3}) {
    {
      Kind queue(maxsize);
      for (int i = 0; i < 3; ++i) CHECK(queue.put(Owner(7)).ok());
      CHECK(*queue.get().value().value == 7);
      CHECK(queue.put(Owner(8)).ok());
      CHECK(Owner::alive == 3);
    }
    CHECK(Owner::alive == 0);
  }
}

TEST_CASE_TEMPLATE("an item that cannot be put stays with the caller", Kind, Queue<Owner>, LifoQueue<Owner>) {
  Kind queue(1);
  Owner first(1), second(2);
  CHECK(queue.try_put(std::move(first)).ok());
  CHECK(first.value == nullptr);
  CHECK(queue.try_put(std::move(second)).error() == Errc::full);
  CHECK(queue.put_for(std::move(second), 1ms).error() == Errc::timed_out);
  queue.shutdown();
  CHECK(queue.put(std::move(second)).error() == Errc::closed);
  CHECK(*second.value == 2);
}

TEST_CASE_TEMPLATE("join waits until every item is done, and task_done cannot be called more often", Kind, ALL_KINDS) {
  for (std::size_t maxsize : {0, 4}) {
    Kind queue(maxsize);
    queue.join();
    CHECK(queue.task_done().error() == Errc::over_released);
    for (int i = 0; i < 3; ++i) queue.put(i);
    std::atomic<int> done = 0;
    std::thread worker([&] {
      for (int i = 0; i < 3; ++i) {
        queue.get();
        std::this_thread::sleep_for(5ms);
        ++done;
        CHECK(queue.task_done().ok());
      }
    });
    std::thread second([&] {
      queue.join();
      CHECK(done == 3);
    });
    queue.join();
    CHECK(done == 3);
    worker.join();
    second.join();
    CHECK(queue.task_done().error() == Errc::over_released);
  }
}

TEST_CASE_TEMPLATE("after shutdown put fails, and get does when the items are drained", Kind, ALL_KINDS) {
  for (std::size_t maxsize : {0, 2}) {
    Kind queue(maxsize);
    queue.put(1);
    queue.put(1);
    queue.shutdown();
    queue.shutdown();
    CHECK(queue.put(2).error() == Errc::closed);
    CHECK(queue.try_put(2).error() == Errc::closed);
    CHECK(queue.put_for(2, 1h).error() == Errc::closed);
    CHECK(queue.size() == 2);
    CHECK(queue.get().value() == 1);
    CHECK(queue.try_put(2).error() == Errc::closed);
    CHECK(queue.get_for(1h).value() == 1);
    CHECK(queue.get().error() == Errc::closed);
    CHECK(queue.try_get().error() == Errc::closed);
    CHECK(queue.get_for(1h).error() == Errc::closed);
    CHECK(queue.task_done().ok());
    CHECK(queue.task_done().ok());
    queue.join();
  }
}

TEST_CASE_TEMPLATE("an immediate shutdown drops the items and counts them as done", Kind, ALL_KINDS) {
  for (std::size_t maxsize : {0, 3}) {
    Kind queue(maxsize);
    for (int i = 0; i < 3; ++i) queue.put(i);
    queue.get();
    std::atomic<bool> joined = false;
    std::thread joiner([&] {
      queue.join();
      joined = true;
    });
    queue.shutdown(true);
    CHECK(queue.empty());
    CHECK(queue.get().error() == Errc::closed);
    CHECK(queue.put(1).error() == Errc::closed);
    std::this_thread::sleep_for(moment);
    CHECK_FALSE(joined); // the item that was got is still in work
    CHECK(queue.task_done().ok());
    joiner.join();
    CHECK(queue.task_done().error() == Errc::over_released);
  }
}

TEST_CASE_TEMPLATE("shutdown releases all who wait for items, for space and in join", Kind, ALL_KINDS) {
  for (bool immediate : {false, true}) {
    Kind full(2), empty(2), unbounded;
    full.put(1);
    full.put(2);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] { CHECK(full.put(3).error() == Errc::closed); });
      threads.emplace_back([&] { CHECK(full.put_for(3, 1h).error() == Errc::closed); });
      threads.emplace_back([&] { CHECK(empty.get().error() == Errc::closed); });
      threads.emplace_back([&] { CHECK(empty.get_for(1h).error() == Errc::closed); });
      threads.emplace_back([&] { CHECK(unbounded.get().error() == Errc::closed); });
      if (immediate) threads.emplace_back([&] { full.join(); });
    }
    std::this_thread::sleep_for(moment);
    full.shutdown(immediate);
    empty.shutdown(immediate);
    unbounded.shutdown(immediate);
    for (auto& thread : threads) thread.join();
    CHECK(full.size() == (immediate ? 0 : 2));
  }
}

// Four threads put and get with all the methods, some with a time limit too short to succeed; every item carries its
// number, and in the end all that were put must have been got, once.
template <class Kind> static void stress(std::size_t maxsize, bool shut_down_midway) {
  Kind queue(maxsize);
  std::atomic<std::uint64_t> put_sum = 0, got_sum = 0, put_count = 0, got_count = 0;
  const auto end = std::chrono::steady_clock::now() + stress_time() / 6;
  const auto putter = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::uint64_t sum = 0, count = 0;
    for (unsigned i = 0; std::chrono::steady_clock::now() < end; ++i) {
      const int item = static_cast<int>(random() % 1'000'000);
      rt::Result<void> put;
      if (i % 3 == 0) put = queue.put_for(item, std::chrono::microseconds(random() % 40));
      if (i % 3 == 1) put = queue.try_put(item);
      if (i % 3 == 2) put = queue.put(item);
      if (put.error() == Errc::closed) break;
      if (!put) continue;
      sum += static_cast<unsigned>(item);
      ++count;
      if (maxsize == 0 && queue.size() > 1000) std::this_thread::sleep_for(10us);
    }
    put_sum += sum;
    put_count += count;
  };
  const auto getter = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::uint64_t sum = 0, count = 0;
    for (unsigned i = 0;; ++i) {
      auto got = i % 3 == 0   ? queue.get_for(std::chrono::microseconds(random() % 40))
                 : i % 3 == 1 ? queue.try_get()
                              : queue.get();
      if (got.error() == Errc::closed) break;
      if (!got) continue;
      sum += static_cast<unsigned>(*got);
      ++count;
      if (!queue.task_done()) FAIL("more items done than put");
    }
    got_sum += sum;
    got_count += count;
  };
  std::vector<std::thread> putters, getters;
  for (unsigned i = 0; i < 2; ++i) {
    putters.emplace_back(putter, i);
    getters.emplace_back(getter, 100 + i);
  }
  if (shut_down_midway) {
    std::this_thread::sleep_for(stress_time() / 12);
    queue.shutdown();
  }
  for (auto& thread : putters) thread.join();
  if (!shut_down_midway) queue.join(); // the getters go on until nothing is left
  queue.shutdown();
  for (auto& thread : getters) thread.join();
  queue.join();
  CHECK(put_count == got_count);
  CHECK(put_sum == got_sum);
  CHECK(queue.empty());
}

TEST_CASE_TEMPLATE("no item is lost or doubled between four threads with random timeouts", Kind, ALL_KINDS) {
  for (std::size_t maxsize : {1, 2, 3, 64, 0}) {
    CAPTURE(maxsize);
    stress<Kind>(maxsize, false);
    stress<Kind>(maxsize, true);
  }
}

TEST_CASE("an immediate shutdown amid puts and gets leaves nothing behind") {
  const auto end = std::chrono::steady_clock::now() + stress_time();
  for (unsigned round = 0; std::chrono::steady_clock::now() < end; ++round) {
    {
      Queue<Owner> queue(1 + round % 5);
      std::vector<std::thread> threads;
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
          while (queue.put(Owner(1))) {
          }
        });
        threads.emplace_back([&] {
          while (queue.get()) CHECK(queue.task_done().ok());
        });
      }
      std::this_thread::sleep_for(std::chrono::microseconds(round % 7 * 50));
      queue.shutdown(true);
      CHECK(queue.empty());
      for (auto& thread : threads) thread.join();
      queue.join();
    }
    CHECK(Owner::alive == 0);
  }
}

TEST_CASE_TEMPLATE("nobody sleeps for ever where nobody has a timeout", Kind, ALL_KINDS) {
  const auto end = std::chrono::steady_clock::now() + stress_time() / 2;
  for (std::size_t maxsize = 1; std::chrono::steady_clock::now() < end; maxsize = maxsize % 4 + 1) {
    Kind queue(maxsize);
    const int each = 500;
    std::atomic<long> sum = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int item = 0; item < each; ++item) queue.put(item);
      });
      threads.emplace_back([&] {
        for (int item = 0; item < each; ++item) {
          sum += queue.get().value();
          queue.task_done();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    queue.join();
    CHECK(sum == 3L * each * (each - 1) / 2);
  }
}

TEST_CASE_TEMPLATE("each of two items put at once wakes one of two getters", Kind, ALL_KINDS) {
  const auto end = std::chrono::steady_clock::now() + stress_time() / 2;
  Kind permits(2), requests(2), answers(2);
  const auto serve = [&] {
    while (permits.get())
      if (auto request = requests.get()) answers.put(*request);
  };
  std::thread first(serve), second(serve);
  for (unsigned round = 0; std::chrono::steady_clock::now() < end; ++round) {
    // Each server has a permit for one request, so it cannot make up for the other one's missed wake-up.
    permits.put(0);
    permits.put(0);
    if (round % 4 == 0) std::this_thread::sleep_for(100us);
    requests.put(1);
    requests.put(2);
    CHECK(answers.get().value() + answers.get().value() == 3);
  }
  permits.shutdown();
  requests.shutdown();
  first.join();
  second.join();
}

TEST_CASE_TEMPLATE("each of two items got at once makes space for one of two putters", Kind, ALL_KINDS) {
  const auto end = std::chrono::steady_clock::now() + stress_time() / 2;
  Kind queue(2);
  const auto put_ones = [&] {
    while (queue.put(1)) {
    }
  };
  queue.put(1);
  queue.put(1);
  std::thread first(put_ones), second(put_ones);
  for (unsigned round = 0; std::chrono::steady_clock::now() < end; ++round) {
    if (round % 64 == 0) std::this_thread::sleep_for(100us);
    CHECK(queue.get().value() + queue.get().value() == 2);
    while (!queue.full()) std::this_thread::yield();
  }
  queue.shutdown();
  first.join();
  second.join();
}

TEST_CASE("items of one putter come out of a Queue in order, whoever else puts") {
  Queue<std::uint64_t> queue(5);
  const int putters = 3;
  const std::uint64_t each = 20'000;
  std::vector<std::thread> threads;
  for (std::uint64_t who = 0; who < putters; ++who)
    threads.emplace_back([&queue, who] {
      for (std::uint64_t i = 0; i < each; ++i) queue.put(who << 32 | i);
    });
  std::uint64_t next[putters] = {};
  bool in_order = true;
  for (std::uint64_t i = 0; i < putters * each; ++i) {
    const std::uint64_t item = queue.get().value();
    in_order &= next[item >> 32]++ == (item & 0xffffffff);
  }
  CHECK(in_order);
  for (auto& thread : threads) thread.join();
}

TEST_CASE("what a thread has put, it can get at once, whoever else is putting") {
  const auto end = std::chrono::steady_clock::now() + stress_time() / 3;
  Queue<int> queue(8);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!stop) {
        if (!queue.try_put(1)) continue;
        // Three threads take one for each that they put: so there is always one to take.
        if (!queue.try_get()) FAIL("an item that was put could not be got");
      }
    });
  while (std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
  stop = true;
  for (auto& thread : threads) thread.join();
  CHECK(queue.empty());
}
