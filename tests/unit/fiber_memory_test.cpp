// What fibers lie in: stacks, and the callables and results beside them.

#include "sync_test.hpp"

#include <rt/memory/stack_pool.hpp>
#include <rt/rt.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

using namespace sync_test;

TEST_CASE("a fiber's stack is as large beside a large callable, and beside a large result") {
  const auto use_stack = [] {
    volatile char frame[40 * 1024];
    for (std::size_t i = 0; i < sizeof frame; i += 512) frame[i] = 1;
    return static_cast<int>(frame[512]);
  };
  std::array<char, 6000> some{};
  CHECK(rt::spawn([some, use_stack] { return use_stack() + some[0]; }).join() == 1);
  std::array<int, 100'000> many{};
  many.back() = 7;
  CHECK(rt::spawn([many, use_stack] { return use_stack() + many.back(); }).join() == 8);
  struct Large {
    std::array<int, 50'000> numbers;
  };
  CHECK(rt::spawn([use_stack] {
          Large large{};
          large.numbers.back() = use_stack();
          return large;
        })
            .join()
            .numbers.back() == 1);
}

TEST_CASE("callables and results are aligned as they want") {
  struct alignas(64) Line {
    int value;
    bool aligned() const { return reinterpret_cast<std::uintptr_t>(this) % 64 == 0; }
  };
  struct alignas(4096) Page {
    int value;
    bool aligned() const { return reinterpret_cast<std::uintptr_t>(this) % 4096 == 0; }
  };
  for (int i = 0; i < 5; ++i) {
    const Line line{i};
    const Page page{i};
    auto fiber = rt::spawn(
        [line](const Page& argument) {
          CHECK(line.aligned());
          CHECK(argument.aligned());
          Line result{line.value + argument.value};
          CHECK(result.aligned());
          return result;
        },
        page);
    const Line sum = fiber.join();
    CHECK(sum.aligned());
    CHECK(sum.value == 2 * i);
  }
}

TEST_CASE("a dropped fiber's result is destroyed by the fiber, which may block there") {
  static rt::Lock lock;
  static int destroyed;
  destroyed = 0;
  struct Blocking {
    bool whole = true;
    Blocking() = default;
    Blocking(Blocking&& other) noexcept : whole(std::exchange(other.whole, false)) {}
    ~Blocking() {
      if (!whole) return;
      rt::sleep_for(1ms);
      const std::lock_guard guard(lock);
      ++destroyed;
    }
  };
  constexpr int count = 200;
  lock.lock();
  for (int i = 0; i < count; ++i) rt::spawn([] { return Blocking(); });
  rt::yield();
  for (int i = 0; i < count; ++i) rt::spawn([] { return Blocking(); }); // their timers need room beside
  rt::sleep_for(10ms);
  lock.unlock();
  CHECK(becomes([] { return destroyed == 2 * count; }));
  // Flows that are used again: none of them must have been left in the registry.
  CHECK(becomes([] { return rt::hub_info().fibers == 0; }));
  lock.lock();
  int passed = 0;
  for (int i = 0; i < count; ++i)
    rt::spawn([&] {
      const std::lock_guard guard(lock);
      ++passed;
    });
  rt::yield();
  lock.unlock();
  CHECK(becomes([&] { return passed == count; }));
}

TEST_CASE("stacks beyond what a thread keeps give their memory back") {
  std::vector<rt::memory::Stack*> stacks;
  for (int i = 0; i < 10'000; ++i) {
    stacks.push_back(rt::memory::take_stack().value());
    stacks.back()->top[-1] = 1;
  }
  const auto resident = [&] {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    return std::ranges::count_if(stacks, [&](const rt::memory::Stack* stack) {
      unsigned char there = 0;
      auto* const last = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(stack->top) - 1) & -page);
      REQUIRE(mincore(last, page, &there) == 0);
      return there & 1;
    });
  };
  CHECK(resident() == 10'000);
  for (auto* stack : stacks) rt::memory::give_stack(stack);
  CHECK(resident() <= 1024);
}
