#include "sync_test.hpp"

#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>

#include <cstring>
#include <mutex>
#include <set>

using namespace sync_test;
using rt::Errc;
using rt::Thread;
using rt::ThreadOptions;

namespace {

struct Counting {
  static inline std::atomic<int> alive = 0;
  int value;

  explicit Counting(int v) : value(v) { ++alive; }
  Counting(const Counting& other) : value(other.value) { ++alive; }
  Counting(Counting&& other) noexcept : value(std::exchange(other.value, -1)) { ++alive; }
  ~Counting() { --alive; }
};

void add_to(std::atomic<int>* sum, int number) { *sum += number; }

class Adder : public Thread {
 public:
  Adder(int a, int b) : a_(a), b_(b) {}
  Adder(const ThreadOptions& options, int a, int b) : Thread(options), a_(a), b_(b) {}
  ~Adder() override { join(); }

  int sum = 0;
  std::uint32_t id_seen = 0;
  bool alive_seen = false;

 protected:
  void run() override {
    id_seen = id();
    alive_seen = is_alive();
    sum = a_ + b_;
  }

 private:
  int a_, b_;
};

} // namespace

TEST_CASE("a thread calls its function with copies of its arguments") {
  std::atomic<int> sum = 0;
  int number = 40;
  Thread thread(add_to, &sum, number);
  number = 1;
  CHECK(thread.start().ok());
  thread.join();
  CHECK(sum == 40);
}

TEST_CASE("arguments that can only be moved are moved into the function") {
  int result = 0;
  auto captured = std::make_unique<int>(1);
  Thread thread(
      [&result, captured = std::move(captured)](std::unique_ptr<int> a, std::string text) {
        result = *captured + *a + static_cast<int>(text.size());
      },
      std::make_unique<int>(2), std::string(100, 'x'));
  CHECK(thread.start().ok());
  thread.join();
  CHECK(result == 103);
}

TEST_CASE("the function and its arguments are destroyed by the time of join") {
  {
    Counting argument(3);
    Thread thread([c = Counting(4)](const Counting& a) { CHECK(a.value + c.value == 7); }, argument);
    CHECK(thread.start().ok());
    thread.join();
    CHECK(Counting::alive == 1);
  }
  CHECK(Counting::alive == 0);
}

TEST_CASE("the function of a thread that was never started is destroyed with the thread") {
  {
    Thread thread([c = Counting(1)] { CHECK(false); });
  }
  CHECK(Counting::alive == 0);
}

TEST_CASE("a large or strongly aligned function has its place") {
  struct alignas(64) Aligned {
    int value = 5;
  };
  struct Large {
    char bytes[100'000];
  };
  auto large = std::make_unique<Large>();
  std::memset(large->bytes, 7, sizeof large->bytes);
  bool aligned = false;
  int sum = 0;
  Thread thread([&, a = Aligned()] { aligned = reinterpret_cast<std::uintptr_t>(&a) % 64 == 0 && a.value == 5; });
  Thread other(ThreadOptions{.stack_size = 1024 * 1024}, [&, l = *large] { sum = l.bytes[0] + l.bytes[99'999]; });
  CHECK(thread.start().ok());
  CHECK(other.start().ok());
  thread.join();
  other.join();
  CHECK(aligned);
  CHECK(sum == 14);
}

TEST_CASE("a subclass does what its run says") {
  Adder adder(2, 3);
  CHECK(adder.start().ok());
  adder.join();
  CHECK(adder.sum == 5);
}

TEST_CASE("run of a subclass knows its thread's id, and that it is alive") {
  for (int i = 0; i < 50; ++i) {
    Adder adder(2, 3);
    CHECK(adder.start().ok());
    adder.join();
    CHECK(adder.id_seen == adder.id());
    CHECK(adder.id() != 0);
    CHECK(adder.alive_seen);
  }
}

TEST_CASE("a subclass may have options") {
  Adder adder({.name = "adder", .daemon = true}, 2, 3);
  CHECK(adder.name() == "adder");
  CHECK(adder.daemon());
  CHECK(adder.start().ok());
  adder.join();
  CHECK(adder.sum == 5);
}

TEST_CASE("a subclass that is destroyed right after its start still runs") {
  static std::atomic<int> runs = 0;
  struct Counter : Thread {
    void run() override { ++runs; }
  };
  for (int i = 0; i < 50; ++i) {
    Counter counter;
    CHECK(counter.start().ok());
  }
  CHECK(runs == 50);
}

TEST_CASE("a thread can be made with new") {
  std::atomic<int> sum = 0;
  auto thread = std::make_unique<Thread>(add_to, &sum, 5);
  CHECK(thread->start().ok());
  thread.reset();
  CHECK(sum == 5);
  std::unique_ptr<Thread> adder = std::make_unique<Adder>(1, 2);
  CHECK(adder->start().ok());
}

TEST_CASE("a thread has the name that it was given, or a numbered one") {
  Thread named(ThreadOptions{.name = "worker"}, [] {});
  CHECK(named.name() == "worker");
  Thread first([] {}), second([] {});
  CHECK(first.name().starts_with("Thread-"));
  CHECK(second.name().starts_with("Thread-"));
  CHECK(first.name() != second.name());
}

TEST_CASE("a long name is cut at a character") {
  CHECK(Thread(ThreadOptions{.name = std::string(100, 'n')}, [] {}).name() == std::string(31, 'n'));
  const std::string two_bytes_each =
      "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4";
  CHECK(two_bytes_each.size() == 32);
  CHECK(Thread(ThreadOptions{.name = two_bytes_each}, [] {}).name() == two_bytes_each.substr(0, 30));
}

TEST_CASE("the kernel shows a thread's name") {
  char shown[32] = {};
  Thread thread(ThreadOptions{.name = "name of a thread"}, [&] {
    FILE* file = std::fopen("/proc/thread-self/comm", "r");
    CHECK(std::fgets(shown, sizeof shown, file));
    std::fclose(file);
  });
  CHECK(thread.start().ok());
  thread.join();
  CHECK(std::string(shown) == "name of a threa\n");
}

TEST_CASE("a thread's id is the kernel's, from its start on") {
  long seen = 0;
  Thread thread([&] { seen = gettid(); });
  CHECK(thread.id() == 0);
  CHECK(thread.start().ok());
  CHECK(thread.id() != 0);
  thread.join();
  CHECK(thread.id() == seen);
  CHECK(seen != getpid());
}

TEST_CASE("a thread is alive between its start and its end") {
  rt::Event go_on;
  Thread thread([&] { go_on.wait(); });
  CHECK(!thread.is_alive());
  CHECK(thread.start().ok());
  CHECK(thread.is_alive());
  go_on.set();
  CHECK(becomes([&] { return !thread.is_alive(); }));
  thread.join();
  CHECK(!thread.is_alive());
}

TEST_CASE("a thread can be started only once") {
  Thread thread([] {});
  CHECK(thread.start().ok());
  CHECK(thread.start().error() == Errc::already_started);
  thread.join();
  CHECK(thread.start().error() == Errc::already_started);
}

TEST_CASE("join_for gives up when its time is over, and may be called again") {
  rt::Event go_on;
  Thread thread([&] { go_on.wait(); });
  CHECK(thread.start().ok());
  const auto begin = std::chrono::steady_clock::now();
  CHECK(thread.join_for(moment).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= moment);
  CHECK(thread.join_for(0s).error() == Errc::timed_out);
  go_on.set();
  CHECK(thread.join_for(limit).ok());
  CHECK(thread.join_for(0s).ok());
  thread.join();
}

TEST_CASE("joining a thread that was not started returns at once") {
  Thread thread([] {});
  thread.join();
  CHECK(thread.join_for(limit).ok());
}

TEST_CASE("several tasks can join one thread and look at it meanwhile") {
  for (int round = 0; round < 30; ++round) {
    rt::Event go_on;
    Thread thread([&] { go_on.wait(); });
    CHECK(thread.start().ok());
    std::vector<std::unique_ptr<Running>> others;
    for (int i = 0; i < 2; ++i) {
      others.push_back(std::make_unique<Running>([&] { thread.join(); }));
      others.push_back(std::make_unique<Running>([&] {
        while (thread.is_alive()) {
        }
      }));
    }
    go_on.set();
    for (auto& other : others) CHECK(other->join_for(limit).ok());
    CHECK(!thread.is_alive());
  }
}

TEST_CASE("what a thread has done is seen after join") {
  for (int round = 0; round < 50; ++round) {
    int value = 0;
    Thread thread([&] { value = round; });
    CHECK(thread.start().ok());
    if (round % 2)
      thread.join();
    else
      CHECK(thread.join_for(limit).ok());
    CHECK(value == round);
  }
}

TEST_CASE("the destructor joins") {
  std::atomic<bool> ended = false;
  {
    Thread thread([&] {
      rt::sleep_for(moment);
      ended = true;
    });
    CHECK(thread.start().ok());
  }
  CHECK(ended);
}

TEST_CASE("the destructor of a daemon's thread does not join") {
  static rt::Event go_on, ended; // outlive the thread
  {
    Thread thread(ThreadOptions{.daemon = true}, [] {
      go_on.wait();
      ended.set();
    });
    CHECK(thread.daemon());
    CHECK(thread.start().ok());
  }
  CHECK(!ended.is_set());
  go_on.set();
  CHECK(ended.wait_for(limit).ok());
}

TEST_CASE("a thread that is moved goes on, and the new object joins it") {
  rt::Event go_on;
  Thread thread(ThreadOptions{.name = "moved"}, [&] { go_on.wait(); });
  Thread started(std::move(thread));
  CHECK(started.name() == "moved");
  CHECK(!thread.is_alive());
  CHECK(started.start().ok());
  Thread last(std::move(started));
  CHECK(last.is_alive());
  CHECK(last.id() != 0);
  CHECK(last.start().error() == Errc::already_started);
  CHECK(!started.is_alive());
  started.join();
  CHECK(last.join_for(moment).error() == Errc::timed_out);
  go_on.set();
  CHECK(last.join_for(limit).ok());
}

TEST_CASE("two hundred threads run at once, each with its own id") {
  constexpr int many = 200;
  rt::Event go_on;
  std::atomic<int> running = 0;
  std::vector<std::unique_ptr<Thread>> threads;
  for (int i = 0; i < many; ++i) {
    threads.push_back(std::make_unique<Thread>([&] {
      ++running;
      go_on.wait();
    }));
    CHECK(threads.back()->start().ok());
  }
  CHECK(becomes([&] { return running == many; }));
  std::set<std::uint32_t> ids;
  for (auto& thread : threads) {
    CHECK(thread->is_alive());
    ids.insert(thread->id());
  }
  CHECK(ids.size() == many);
  go_on.set();
  for (auto& thread : threads) CHECK(thread->join_for(limit).ok());
}

TEST_CASE("threads one after the other use the same memory") {
  for (int i = 0; i < 500; ++i) {
    int value = 0;
    Thread thread([&] { value = 1; });
    CHECK(thread.start().ok());
    thread.join();
    CHECK(value == 1);
  }
}

TEST_CASE("threads can start threads") {
  std::atomic<int> sum = 0;
  Thread outer([&] {
    Thread inner([&] {
      Thread last(add_to, &sum, 1);
      CHECK(last.start().ok());
      ++sum;
    });
    CHECK(inner.start().ok());
    ++sum;
  });
  CHECK(outer.start().ok());
  outer.join();
  CHECK(sum == 3);
}

TEST_CASE("a thread that joins itself panics") {
  check_panics("a thread joins itself", [] {
    Thread* self = nullptr;
    rt::Event go_on;
    Thread thread([&] {
      go_on.wait();
      self->join();
    });
    CHECK(thread.start().ok());
    self = &thread;
    go_on.set();
    thread.join();
  });
}

TEST_CASE("a thread that joins itself for a limited time is told that it has not ended") {
  rt::Event go_on;
  Thread* self = nullptr;
  Thread thread([&] {
    go_on.wait();
    CHECK(self->join_for(0s).error() == Errc::timed_out);
    CHECK(self->is_alive());
  });
  CHECK(thread.start().ok());
  self = &thread;
  go_on.set();
  thread.join();
}

TEST_CASE("a subclass without run panics when it is started") {
  struct Empty : Thread {};
  check_panics("run()", [] {
    Empty empty;
    CHECK(empty.start().ok());
    empty.join();
  });
}

TEST_CASE("moving a thread of a subclass panics") {
  check_panics("a Thread of a subclass was moved", [] {
    Adder adder(1, 2);
    Thread moved(static_cast<Thread&&>(adder));
  });
}
