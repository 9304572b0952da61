// Shared<T> and SharedQueue.

#include "sync_test.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/process/shared.hpp>
#include <rt/process/shared_queue.hpp>

#include <csignal>
#include <mutex>
#include <numeric>
#include <string>

using namespace sync_test;
using rt::Errc;

namespace {

struct Counter {
  rt::SharedLock lock;
  long value = 0;
  long* destroyed;

  explicit Counter(long* place = nullptr) : destroyed(place) {}
  ~Counter() {
    if (destroyed) ++*destroyed;
  }
};

/// What a program would do that is executed and gets a descriptor: it maps the file again, elsewhere.
template <class T> T opened_again(const T& made) { return T::open(made.descriptor()).value(); }

} // namespace

TEST_CASE("a Shared is one object for a process and its children, and destroyed by its maker only") {
  long destroyed = 0;
  {
    rt::Shared<Counter> counter(&destroyed);
    const auto count = [&] {
      for (int i = 0; i < 1000; ++i) {
        const std::lock_guard guard(counter->lock);
        ++counter->value;
      }
      return true;
    };
    Child first(count), second([&] {
      count();
      { const rt::Shared<Counter> mine(std::move(counter)); }
      return destroyed == 0;
    });
    count();
    CHECK(first.end().exited_with(0));
    CHECK(second.end().exited_with(0));
    CHECK(counter->value == 3000);
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 1);
}

TEST_CASE("a Shared in a memory file is found by whoever has the descriptor") {
  auto made = rt::Shared<Counter>::with_file("counter", nullptr).value();
  auto again = opened_again(made);
  CHECK(again.get() != made.get());
  made->lock.lock();
  made->value = 5;
  CHECK(again->lock.held());
  CHECK(again->value == 5);
  made->lock.unlock();
  CHECK(!again->lock.locked());
  CHECK(rt::Shared<long>::open(made.descriptor()).error() == Errc::invalid_argument);
  CHECK(rt::Shared<long>::open(-1).error() == Errc::bad_file_descriptor);
}

TEST_CASE("a shared queue hands over numbers, texts and Values in their order") {
  rt::SharedQueue<int> numbers(3);
  for (const int i : {1, 2, 3}) CHECK(numbers.put(i).ok());
  CHECK(numbers.full());
  CHECK(numbers.size() == 3);
  CHECK(numbers.try_put(4).error() == Errc::full);
  CHECK(numbers.put_for(4, 1ms).error() == Errc::timed_out);
  CHECK(numbers.put_for(4, 0ms).error() == Errc::timed_out);
  for (const int i : {1, 2, 3}) CHECK(numbers.get().value() == i);
  CHECK(numbers.empty());
  CHECK(numbers.try_get().error() == Errc::empty);
  CHECK(numbers.get_for(1ms).error() == Errc::timed_out);

  rt::SharedQueue<std::string> texts;
  CHECK(texts.put("").ok());
  CHECK(texts.put(std::string("a\0b", 3)).ok());
  CHECK(texts.get().value().empty());
  CHECK(texts.get().value() == std::string("a\0b", 3));

  rt::SharedQueue<rt::Value> values(10);
  const rt::Value value = {1, "two", rt::Value::List{3.5, nullptr}};
  CHECK(values.put(value).ok());
  CHECK(values.put(rt::Value("\xff")).error() == Errc::illegal_byte_sequence);
  CHECK(values.get().value() == value);
  CHECK(values.empty());
}

TEST_CASE("messages of every length go around the ring's end") {
  for (const std::size_t size : {64u, 200u, 256u}) {
    CAPTURE(size);
    const std::size_t longest = size - 4;
    rt::SharedQueue<std::string> queue(0, size);
    CHECK(queue.put(std::string(longest + 1, 'x')).error() == Errc::message_size);
    for (std::size_t length = 0; length <= longest; ++length) {
      const std::string text(length, static_cast<char>('a' + length % 26));
      CHECK(queue.put(text).ok());
      CHECK(queue.get().value() == text);
    }
    const auto message = [&](std::size_t number) {
      return std::string(number * 7 % (size / 4 - 3), static_cast<char>(number % 100));
    };
    std::size_t put = 0, got = 0;
    for (int round = 0; round < 100; ++round) {
      while (queue.try_put(message(put))) ++put;
      CHECK(queue.try_put(std::string(longest, 'x')).error() == Errc::full);
      for (int i = 0; i <= round % 3; ++i, ++got) CHECK(queue.get().value() == message(got));
    }
    for (; got < put; ++got) CHECK(queue.get().value() == message(got));
    CHECK(queue.empty());
  }
}

TEST_CASE("a put gets the first room that there is, after others have filled the queue again and again") {
  constexpr int capacity = 64, items = 20 * capacity;
  rt::SharedQueue<int> queue(capacity);
  Running producer([&] {
    for (int i = 0; i < items; ++i) CHECK(queue.put(i).ok());
  });
  int expected = 0;
  while (expected < items - 2 * capacity) {
    CHECK(becomes([&] { return queue.full(); }));
    for (int i = 0; i < capacity; ++i) CHECK(queue.get().value() == expected++);
  }
  while (expected < items - capacity) {
    CHECK(becomes([&] { return queue.full(); }));
    CHECK(queue.get().value() == expected++);
  }
  while (expected < items) CHECK(queue.get().value() == expected++);
}

TEST_CASE("several processes put and get, and each item is got once") {
  constexpr int processes = 3, items = 3000;
  struct Sums {
    std::atomic<long> sum = 0, count = 0;
  };
  for (const std::size_t maxsize : {1, 7, 1000}) {
    Mapped<Sums> sums;
    rt::SharedQueue<std::array<long, 3>> queue(maxsize);
    std::vector<std::unique_ptr<Child>> producers, consumers;
    for (int i = 0; i < processes; ++i) {
      producers.push_back(std::make_unique<Child>([&] {
        bool good = true;
        for (long item = 0; item < items; ++item) good &= queue.put({item, item + 1, -item}).ok();
        return good;
      }));
      consumers.push_back(std::make_unique<Child>([&] {
        bool good = true;
        for (rt::Result<std::array<long, 3>> item = queue.get(); item; item = queue.get()) {
          const auto [a, b, c] = *item;
          good &= b == a + 1 && c == -a;
          sums->sum += a;
          ++sums->count;
          good &= queue.task_done().ok();
        }
        return good;
      }));
    }
    for (auto& producer : producers) CHECK(producer->end().exited_with(0));
    CHECK(queue.join().ok());
    CHECK(queue.empty());
    CHECK(sums->count == processes * items);
    CHECK(sums->sum == processes * (items * (items - 1l) / 2));
    queue.shutdown();
    for (auto& consumer : consumers) CHECK(consumer->end().exited_with(0));
  }
}

TEST_CASE("shutdown ends waiting to put and waiting to get, in all processes") {
  rt::SharedQueue<int> queue(1);
  Child consumer([&] { return queue.get().ok() && queue.get().ok() && queue.get().error() == Errc::closed; });
  CHECK(queue.put(1).ok());
  CHECK(queue.put(2).ok());
  CHECK(becomes([&] { return queue.empty(); }));
  queue.shutdown();
  CHECK(consumer.end().exited_with(0));
  CHECK(queue.put(3).error() == Errc::closed);
  CHECK(queue.try_get().error() == Errc::closed);

  rt::SharedQueue<int> full(1);
  CHECK(full.put(1).ok());
  Child producer([&] { return full.put(2).error() == Errc::closed; });
  rt::sleep_for(moment);
  SUBCASE("what is in the queue can still be got") {
    full.shutdown();
    CHECK(full.get().value() == 1);
  }
  SUBCASE("or is dropped") { full.shutdown(true); }
  CHECK(producer.end().exited_with(0));
  CHECK(full.get().error() == Errc::closed);
}

TEST_CASE("join waits until what was got is done, whoever says so") {
  rt::SharedQueue<int> queue;
  CHECK(queue.join().ok());
  CHECK(queue.task_done().error() == Errc::over_released);
  for (int i = 0; i < 3; ++i) CHECK(queue.put(i).ok());
  CHECK(queue.join_for(1ms).error() == Errc::timed_out);
  CHECK(queue.get().ok());
  Child child([&] {
    for (int i = 0; i < 2; ++i)
      if (!queue.get()) return false;
    rt::sleep_for(moment);
    for (int i = 0; i < 3; ++i)
      if (!queue.task_done()) return false;
    return queue.task_done().error() == Errc::over_released;
  });
  CHECK(queue.join_for(limit).ok());
  CHECK(child.end().exited_with(0));
}

TEST_CASE("join says that an item was lost with its process, and does not wait for it") {
  rt::SharedQueue<int> queue;
  Mapped<std::atomic<bool>> got(false);
  CHECK(queue.put(1).ok());
  Child consumer([&] {
    *got = queue.get().ok();
    return pause(), true;
  });
  CHECK(becomes([&] { return got->load(); }));
  CHECK(queue.join_for(1ms).error() == Errc::timed_out);
  kill(consumer.pid(), SIGKILL);
  CHECK(queue.join_for(limit).error() == Errc::owner_died);
  CHECK(queue.join().ok());
}

TEST_CASE("what a thread had in its hands when it ended can be reported done by another of its process") {
  rt::SharedQueue<int> queue;
  for (int i = 0; i < 3; ++i) CHECK(queue.put(i).ok());
  for (int i = 0; i < 2; ++i) Running([&] { CHECK(queue.get().ok()); }).join();
  CHECK(queue.get().ok());
  CHECK(queue.join_for(0ms).error() == Errc::timed_out);
  for (int i = 0; i < 3; ++i) CHECK(queue.task_done().ok());
  CHECK(queue.join().ok());
}

TEST_CASE("a queue in a memory file is found by whoever has the descriptor") {
  auto made = rt::SharedQueue<rt::Value>::with_file("queue", 5).value();
  auto again = opened_again(made);
  CHECK(made.put(rt::Value("there")).ok());
  CHECK(again.get().value() == rt::Value("there"));
  CHECK(again.task_done().ok());
  CHECK(made.join().ok());
  const auto other = rt::SharedMemory::make_file("other", 100000).value();
  CHECK(rt::SharedQueue<int>::open(other.descriptor()).error() == Errc::invalid_argument);
}

TEST_CASE("a fiber that waits at a shared queue lets the others of its hub run") {
  rt::SharedQueue<int> there(1), back(1);
  auto answer = rt::spawn([&] {
    for (int i = 0; i < 10; ++i) {
      const auto got = there.get();
      if (!got || !back.put(*got + 1)) return false;
    }
    return true;
  });
  for (int i = 0; i < 10; ++i) {
    CHECK(there.put(i).ok());
    CHECK(back.get().value() == i + 1);
  }
  CHECK(answer.join());
  auto waiting = rt::spawn([&] { return there.get().error().code; });
  rt::sleep_for(1ms);
  waiting.cancel();
  CHECK(waiting.join() == Errc::canceled);
}
