// Threads on clone(2): their storage, their names, their ends.

#include "check.hpp"

#include <rt/start/exit.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

#include <memory>
#include <vector>

using namespace std::chrono_literals;

namespace {

thread_local int local = 5;
std::atomic<int> destroyed = 0;

struct CountsDestruction {
  int value = 0;
  ~CountsDestruction() { ++destroyed; }
};

std::size_t read_file(const char* path, char* text, std::size_t size) {
  const long file = rt::arch::syscall(__NR_openat, -100, reinterpret_cast<long>(path), 0, 0);
  const long got = rt::arch::syscall(__NR_read, file, reinterpret_cast<long>(text), static_cast<long>(size));
  rt::arch::syscall(__NR_close, file);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

// The first number of /proc/self/statm: pages of address space. Or how many descriptors are open: the next free one.
std::size_t mapped_pages() {
  char text[64];
  std::size_t pages = 0, size = read_file("/proc/self/statm", text, sizeof text);
  for (std::size_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i) pages = pages * 10 + text[i] - '0';
  return pages;
}
long next_descriptor() {
  const long descriptor = rt::arch::syscall(__NR_dup, 0);
  rt::arch::syscall(__NR_close, descriptor);
  return descriptor;
}

} // namespace

RT_CASE("a thread runs its callable with its arguments and is joined") {
  std::atomic<int> sum = 0;
  rt::Thread thread([&](int a, std::unique_ptr<int> b) { sum = a + *b; }, 40, std::make_unique<int>(2));
  CHECK(!thread.is_alive());
  CHECK(thread.start().ok());
  thread.join();
  CHECK(sum == 42);
  CHECK(!thread.is_alive());
  CHECK(thread.start().error() == rt::Errc::already_started);
}

RT_CASE("a subclass overrides run") {
  struct Worker : rt::Thread {
    int* result;
    explicit Worker(int* to) : result(to) {}
    void run() override { *result = 7; }
  };
  int result = 0;
  {
    Worker worker(&result);
    CHECK(worker.start().ok());
  }
  CHECK(result == 7);
}

RT_CASE("a thread made with new is destroyed through its base") {
  struct Worker : rt::Thread {
    void run() override {}
    ~Worker() override { ++destroyed; }
  };
  rt::Thread* thread = new Worker;
  CHECK(thread->start().ok());
  thread->join();
  delete thread;
  CHECK(destroyed == 1);
}

RT_CASE("each thread has its own thread-local variables, and they are destroyed at its end") {
  rt::Thread thread([] {
    static thread_local CountsDestruction counts;
    counts.value = ++local;
  });
  CHECK(thread.start().ok());
  thread.join();
  CHECK(local == 5);
  CHECK(destroyed == 1);
}

RT_CASE("the kernel knows a thread's name") {
  rt::Event named, seen;
  rt::Thread thread(rt::ThreadOptions{.name = "worker-seventeen-long"}, [&] {
    named.set();
    seen.wait();
  });
  CHECK(thread.start().ok());
  named.wait();
  char path[64] = {}, text[32];
  rt::format_to(path, "/proc/self/task/{}/comm", thread.id());
  CHECK(std::string_view(text, read_file(path, text, sizeof text)) == "worker-seventee\n");
  CHECK(thread.name() == "worker-seventeen-long");
  CHECK(thread.is_alive());
  CHECK(thread.join_for(1ms).error() == rt::Errc::timed_out);
  seen.set();
  CHECK(thread.join_for(10s).ok());
}

// 10,000 of them, but on an emulated machine, where each may take milliseconds, for as many as there is time.
RT_CASE("thousands of threads one after the other leave no memory and no descriptor behind") {
  const long descriptor = next_descriptor();
  const auto limit = rt::Deadline::after(1s);
  std::size_t pages = 0;
  for (int i = 0; i < 10'000 && (i < 1000 || !limit.passed()); ++i) {
    rt::Thread thread([] { ++local; });
    CHECK(thread.start().ok());
    thread.join();
    if (i == 100) pages = mapped_pages();
  }
  CHECK(mapped_pages() == pages);
  CHECK(next_descriptor() == descriptor);
}

RT_CASE("2000 threads live at once, and a second time they take no more memory") {
  const auto live_at_once = [] {
    rt::Event go;
    std::atomic<int> running = 0;
    std::vector<rt::Thread> threads;
    for (int i = 0; i < 2000; ++i) {
      threads.emplace_back([&] {
        ++running;
        go.wait();
      });
      CHECK(threads.back().start().ok());
    }
    while (running != 2000) rt::sleep_for(1ms);
    const std::size_t pages = mapped_pages();
    go.set();
    for (auto& thread : threads) thread.join();
    return pages;
  };
  const std::size_t at_most = live_at_once(), left = mapped_pages();
  CHECK(left < at_most / 4); // the cached stacks and the heap's chunks stay
  live_at_once();
  CHECK(mapped_pages() <= left);
}

RT_CASE_ENDS("the process waits for its threads but not for daemons", bare::by_exit(4), "thread ends\n") {
  static rt::Thread thread([] {
    rt::sleep_for(50ms);
    rt::eprintln("thread ends");
  });
  static rt::Thread daemon(rt::ThreadOptions{.daemon = true}, [] {
    rt::sleep_for(1h);
    rt::eprintln("daemon ends");
  });
  CHECK(thread.start().ok());
  CHECK(daemon.start().ok());
  rt::exit(4);
}

RT_CASE_ENDS("a thread that joins itself is a panic", bare::by_signal(6), "joins itself") {
  static rt::Thread* self = nullptr;
  rt::Thread thread([] { self->join(); });
  self = &thread;
  CHECK(thread.start().ok());
  rt::sleep_for(10s);
}
