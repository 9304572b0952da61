// Fibers, generators and greenlets without libc.

#include "check.hpp"

#include <rt/memory/stack_pool.hpp>
#include <rt/rt.hpp>
#include <rt/start/exit.hpp>

#include <memory>
#include <vector>

using namespace std::chrono_literals;

namespace {

[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[256];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? frame[0] : recurse(depth - 1) + frame[0];
}

double square(double x) { return x * x; }

} // namespace

RT_CASE("a generator hands out values in turn") {
  rt::Generator<int> numbers([](auto& yield) {
    for (int i = 0; yield(i); ++i) {
    }
  });
  for (int i = 0; i < 1000; ++i) CHECK(numbers.next() == i);
}

RT_CASE("registers keep what the compiler had in them across switches") {
  double sum = 0;
  rt::Generator<double> squares([](auto& yield) {
    for (double x = 1; yield(square(x)); x += 0.5) {
    }
  });
  for (double x = 1; x < 100; x += 0.5) {
    const double there = *squares.next();
    CHECK(there == square(x));
    sum += there - square(x);
  }
  CHECK(sum == 0);
}

RT_CASE("greenlets switch from any to any") {
  rt::Greenlet& main = rt::Greenlet::current();
  int steps = 0;
  rt::Greenlet *first = nullptr, *second = nullptr;
  rt::Greenlet a([&](void* value) -> void* {
    for (;;) value = second->switch_to(value), ++steps;
  });
  rt::Greenlet b([&](void* value) -> void* {
    for (int i = 0; i < 1000; ++i) value = first->switch_to(value), ++steps;
    return main.switch_to(value);
  });
  first = &a;
  second = &b;
  int anything = 0;
  CHECK(a.switch_to(&anything) == &anything);
  CHECK(steps == 2000);
}

RT_CASE("fibers of two threads share locks and queues") {
  rt::Queue<int> queue(4);
  rt::Lock lock;
  long sum = 0;
  const auto consume = [&] {
    std::vector<rt::Fiber<void>> fibers;
    for (int i = 0; i < 10; ++i)
      fibers.push_back(rt::spawn([&] {
        while (auto item = queue.get()) {
          const std::lock_guard guard(lock);
          sum += *item;
        }
      }));
    CHECK(rt::joinall(fibers));
  };
  rt::Thread first(consume), second(consume);
  first.start().value();
  second.start().value();
  for (int i = 1; i <= 10'000; ++i) CHECK(queue.put(i));
  queue.shutdown();
  first.join();
  second.join();
  CHECK(sum == 10'000L * 10'001 / 2);
}

RT_CASE("timers, timeouts and cancels end waits") {
  rt::Event never;
  auto canceled = rt::spawn([&] { return never.wait_for(30s).error().code; });
  auto late = rt::spawn([&] {
    rt::Timeout limit(5ms);
    return never.wait_for(30s).error().code;
  });
  rt::sleep_for(1ms);
  canceled.cancel();
  CHECK(canceled.join() == rt::Errc::canceled);
  CHECK(late.join() == rt::Errc::timed_out);
}

RT_CASE("main's fibers are canceled when it returns") {
  rt::spawn([] {
    rt::Event never;
    CHECK(never.wait_for(30s).error() == rt::Errc::canceled);
  });
  rt::yield();
  rt::exit(0);
}

RT_CASE("stacks are guarded by mprotect where the kernel is older, until there are too many") {
  rt::memory::use_mprotect_guards();
  std::vector<rt::memory::Stack*> stacks;
  for (;;) {
    const auto stack = rt::memory::take_stack();
    if (!stack) {
      CHECK(stack.error() == rt::Errc::too_many_mappings || stack.error() == rt::Errc::not_enough_memory);
      break;
    }
    stacks.push_back(stack.value());
    if (stacks.size() == 100'000) break; // a machine that allows so many
  }
  CHECK(stacks.size() > 1000);
  for (auto* stack : stacks) rt::memory::give_stack(stack);
}

RT_CASE_ENDS("a fiber that overflows its stack is named, with the stack's size and what to raise", bare::by_signal(11),
             "FiberOptions::stack_size") {
  rt::spawn(rt::FiberOptions{.name = "deep"}, [] { return recurse(100'000); }).join();
}

RT_CASE_ENDS("so it is with guards by mprotect", bare::by_signal(11), "fiber 'deep'") {
  rt::memory::use_mprotect_guards();
  rt::spawn(rt::FiberOptions{.name = "deep"}, [] { return recurse(100'000); }).join();
}

RT_CASE_ENDS("a generator that is resumed by its own body ends the program", bare::by_signal(6),
             "resumed or destroyed by its own body") {
  rt::Generator<int>* self = nullptr;
  rt::Generator<int> generator([&](auto& yield) {
    (void)self->next();
    yield(1);
  });
  self = &generator;
  (void)generator.next();
}

RT_CASE_ENDS("so does one that is resumed by the body of another one, which it has resumed", bare::by_signal(6),
             "resumed or destroyed by its own body") {
  rt::Generator<int>* outer = nullptr;
  rt::Generator<int> inner([&](auto& yield) {
    (void)outer->next();
    yield(1);
  });
  rt::Generator<int> generator([&](auto& yield) {
    (void)inner.next();
    yield(2);
  });
  outer = &generator;
  (void)generator.next();
}

RT_CASE_ENDS("so does one that is destroyed by its own body", bare::by_signal(6),
             "resumed or destroyed by its own body") {
  std::optional<rt::Generator<int>> generator;
  generator.emplace([&](auto& yield) {
    generator.reset();
    yield(1);
  });
  (void)generator->next();
}

RT_CASE_ENDS("fibers that wait for each other's locks are reported", bare::by_signal(6), "deadlock") {
  rt::Lock a, b;
  auto first = rt::spawn(rt::FiberOptions{.name = "first"}, [&] {
    const std::lock_guard one(a);
    rt::yield();
    const std::lock_guard two(b);
  });
  auto second = rt::spawn(rt::FiberOptions{.name = "second"}, [&] {
    const std::lock_guard one(b);
    rt::yield();
    const std::lock_guard two(a);
  });
  first.join();
}

RT_CASE_ENDS("a fiber and a thread that wait for each other's locks are reported", bare::by_signal(6), "'fiber'") {
  rt::Lock a, b;
  rt::Event has_b, has_a;
  rt::Thread thread([&] {
    const std::lock_guard one(b);
    has_b.set();
    has_a.wait();
    const std::lock_guard two(a);
  });
  thread.start().value();
  auto fiber = rt::spawn(rt::FiberOptions{.name = "fiber"}, [&] {
    const std::lock_guard one(a);
    has_a.set();
    has_b.wait();
    const std::lock_guard two(b);
  });
  fiber.join();
}

RT_CASE_ENDS("fibers that nothing can wake are listed", bare::by_signal(6), "'forgotten'") {
  rt::Event never;
  rt::spawn(rt::FiberOptions{.name = "forgotten"}, [&] { never.wait(); }).join();
}
