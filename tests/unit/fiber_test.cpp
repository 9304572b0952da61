#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using rt::Errc;

namespace {

// Long enough for anything that is going to happen on a busy machine.
constexpr auto generous = 30s;

} // namespace

TEST_CASE("a fiber's result is what join returns") {
  CHECK(rt::spawn([](int a, int b) { return a * b; }, 6, 7).join() == 42);
  CHECK(rt::spawn([](std::string text) { return text + "!"; }, "moved in and out, longer than a small string").join() ==
        "moved in and out, longer than a small string!");
  CHECK(*rt::spawn([](std::unique_ptr<int> number) { return number; }, std::make_unique<int>(3)).join() == 3);
}

TEST_CASE("a fiber begins when the one that spawned it blocks") {
  std::string order;
  auto fiber = rt::spawn([&] { order += 'b'; });
  order += 'a';
  CHECK_FALSE(fiber.done());
  rt::yield();
  order += 'c';
  CHECK(fiber.done());
  CHECK(order == "abc");
}

TEST_CASE("fibers that yield take turns") {
  std::string order;
  const auto write = [&](char letter) {
    for (int i = 0; i < 3; ++i) {
      order += letter;
      rt::yield();
    }
  };
  auto a = rt::spawn(write, 'a');
  auto b = rt::spawn(write, 'b');
  a.join();
  b.join();
  CHECK(order == "ababab");
}

TEST_CASE("sleeping fibers wake in the order of their deadlines, and sleep side by side") {
  std::vector<int> order;
  const auto begin = rt::Clock::now();
  std::vector<rt::Fiber<void>> fibers;
  for (int i : {3, 1, 2})
    fibers.push_back(rt::spawn([&order, i] {
      rt::sleep_for(i * 50ms);
      order.push_back(i);
    }));
  CHECK(rt::joinall(fibers));
  const auto took = rt::Clock::now() - begin;
  CHECK(order == std::vector{1, 2, 3});
  CHECK(took >= 150ms);
  CHECK(took < 300ms + generous);
}

TEST_CASE("a dropped fiber goes on") {
  bool ran = false;
  {
    auto dropped = rt::spawn([&] { ran = true; });
  }
  rt::yield();
  CHECK(ran);
}

TEST_CASE("what a fiber was made from is destroyed when it has run, its result with the handle") {
  auto shared = std::make_shared<int>(0);
  auto fiber = rt::spawn([copy = shared] { return copy; });
  CHECK(shared.use_count() == 2);
  rt::yield();
  CHECK(fiber.done());
  CHECK(shared.use_count() == 2); // the result
  { auto gone = std::move(fiber); }
  CHECK(shared.use_count() == 1);
  rt::spawn([copy = shared] { return copy; });
  rt::yield();
  CHECK(shared.use_count() == 1);
}

TEST_CASE("joining takes no longer than the time limit") {
  rt::Event event;
  auto fiber = rt::spawn([&] {
    event.wait();
    return 5;
  });
  CHECK(fiber.join_for(10ms).error() == Errc::timed_out);
  CHECK_FALSE(fiber.done());
  event.set();
  CHECK(fiber.join_for(generous).value() == 5);
}

TEST_CASE("joinall waits for all, at most as long as it may") {
  rt::Event event;
  std::vector<rt::Fiber<int>> fibers;
  for (int i = 0; i < 5; ++i)
    fibers.push_back(rt::spawn([&, i] {
      if (i == 3) event.wait();
      return i;
    }));
  CHECK(rt::joinall(fibers, 10ms).error() == Errc::timed_out);
  event.set();
  CHECK(rt::joinall(fibers));
  int sum = 0;
  for (auto& fiber : fibers) sum += fiber.join();
  CHECK(sum == 10);
}

TEST_CASE("a lock suspends the fiber only, and goes from one to the next") {
  rt::Lock lock;
  int inside = 0, most = 0, done = 0;
  std::vector<rt::Fiber<void>> fibers;
  for (int i = 0; i < 20; ++i)
    fibers.push_back(rt::spawn([&] {
      for (int round = 0; round < 10; ++round) {
        const std::lock_guard guard(lock);
        most = std::max(most, ++inside);
        rt::yield();
        --inside;
      }
      ++done;
    }));
  CHECK(rt::joinall(fibers));
  CHECK(most == 1);
  CHECK(done == 20);
}

TEST_CASE("a lock that another fiber of the thread holds is not the caller's") {
  rt::Lock lock;
  rt::RLock again;
  auto holder = rt::spawn([&] {
    const std::scoped_lock guard(lock, again);
    again.lock();
    rt::sleep_for(20ms);
    again.unlock();
  });
  rt::yield();
  CHECK(lock.locked());
  CHECK_FALSE(lock.held());
  CHECK_FALSE(lock.try_lock());
  CHECK_FALSE(again.try_lock());
  CHECK(lock.try_lock_for(1ms).error() == Errc::timed_out);
  CHECK(lock.try_lock_for(generous));
  lock.unlock();
  holder.join();
}

TEST_CASE("a queue of one place hands items from fiber to fiber in order") {
  for (const std::size_t maxsize : {std::size_t{1}, std::size_t{3}, std::size_t{0}}) {
    rt::Queue<int> queue(maxsize);
    auto producer = rt::spawn([&] {
      for (int i = 0; i < 100; ++i) CHECK(queue.put(i));
      queue.shutdown();
    });
    int next = 0;
    while (auto item = queue.get()) CHECK(*item == next++);
    CHECK(next == 100);
    producer.join();
  }
}

TEST_CASE("conditions, events, semaphores and barriers work between fibers") {
  rt::Lock lock;
  rt::Condition condition;
  rt::Semaphore semaphore(0);
  rt::Barrier barrier(4);
  rt::Event event;
  int turn = 0, passed = 0;
  std::vector<rt::Fiber<void>> fibers;
  for (int i = 0; i < 4; ++i)
    fibers.push_back(rt::spawn([&, i] {
      event.wait();
      std::unique_lock guard(lock);
      condition.wait(guard, [&] { return turn == i; });
      ++turn;
      condition.notify_all();
      guard.unlock();
      CHECK(barrier.wait());
      CHECK(turn == 4);
      semaphore.acquire();
      ++passed;
      semaphore.release();
    }));
  rt::yield();
  event.set();
  semaphore.release();
  CHECK(rt::joinall(fibers, generous));
  CHECK(passed == 4);
}

TEST_CASE("a thread wakes a fiber of another thread's hub, and the other way round") {
  rt::Queue<int> there(4), back(4);
  rt::Thread echo([&] {
    // Two fibers of this thread serve; one is woken by the main thread, and wakes a fiber of it.
    auto serve = [&] {
      while (auto item = there.get()) CHECK(back.put(*item + 1));
    };
    auto first = rt::spawn(serve);
    auto second = rt::spawn(serve);
    first.join();
    second.join();
  });
  echo.start().value();
  auto client = rt::spawn([&] {
    long sum = 0;
    for (int i = 0; i < 2000; ++i) {
      CHECK(there.put(i));
      sum += back.get().value();
    }
    there.shutdown();
    return sum;
  });
  CHECK(client.join() == 2000L * 2001 / 2);
  echo.join();
}

TEST_CASE("joining a thread suspends only the fiber") {
  rt::Event event;
  std::string order;
  rt::Thread thread([&] { event.wait(); });
  thread.start().value();
  auto joiner = rt::spawn([&] {
    thread.join();
    order += 'j';
  });
  auto other = rt::spawn([&] {
    rt::yield();
    order += 'o';
    event.set();
  });
  joiner.join();
  other.join();
  CHECK(order == "oj");
}

TEST_CASE("a fiber can be joined by another thread") {
  rt::Queue<rt::Fiber<int>> handles(1);
  rt::Thread thread([&] {
    auto fiber = handles.get().value();
    CHECK(fiber.join() == 9);
  });
  thread.start().value();
  CHECK(handles.put(rt::spawn([] {
    rt::sleep_for(10ms);
    return 9;
  })));
  rt::spawn([&] { thread.join(); }).join();
}

TEST_CASE("a canceled fiber's waits fail, now and later") {
  rt::Queue<int> queue(1);
  std::vector<Errc> errors;
  auto fiber = rt::spawn([&] {
    errors.push_back(queue.get().error().code);
    errors.push_back(queue.get_for(generous).error().code);
    const auto begin = rt::Clock::now();
    errors.push_back(rt::sleep_for(generous).error().code);
    CHECK(rt::Clock::now() - begin < generous);
  });
  rt::yield();
  fiber.cancel();
  fiber.join();
  CHECK(errors == std::vector{Errc::canceled, Errc::canceled, Errc::canceled});
}

TEST_CASE("a wait whose caller cannot be told goes on in a canceled fiber") {
  rt::Lock lock;
  lock.lock();
  bool got = false;
  auto fiber = rt::spawn([&] {
    const std::lock_guard guard(lock);
    got = true;
  });
  rt::yield();
  fiber.cancel();
  rt::yield();
  CHECK_FALSE(got);
  lock.unlock();
  fiber.join();
  CHECK(got);
}

TEST_CASE("a fiber is canceled by another thread") {
  rt::Queue<rt::Fiber<Errc>> handles(1);
  rt::Thread thread([&] {
    auto fiber = handles.get().value();
    fiber.cancel();
    CHECK(fiber.join() == Errc::canceled);
  });
  thread.start().value();
  CHECK(handles.put(rt::spawn([] {
    rt::Event never;
    return never.wait_for(generous).error().code;
  })));
  rt::spawn([&] { thread.join(); }).join();
}

TEST_CASE("what was handed to a canceled fiber is not lost") {
  rt::Semaphore semaphore(0);
  Errc error = Errc::none;
  auto fiber = rt::spawn([&] {
    const auto got = semaphore.try_acquire_for(generous);
    if (!got) error = got.error().code;
  });
  rt::yield();
  semaphore.release();
  fiber.cancel(); // too late or in time: either it has the permit, or the semaphore has
  fiber.join();
  CHECK((error == Errc::none) == (semaphore.value() == 0));
}

TEST_CASE("a Timeout limits all that blocks in its scope") {
  rt::Queue<int> queue;
  const auto outcome = [&] {
    rt::Timeout limit(20ms);
    CHECK_FALSE(limit.expired());
    CHECK(queue.get().error() == Errc::timed_out);
    CHECK(limit.expired());
    CHECK(queue.get_for(generous).error() == Errc::timed_out);
    CHECK(rt::sleep_for(generous).error() == Errc::timed_out);
    CHECK(rt::sleep_for(0s).ok());
    return true;
  };
  SUBCASE("in a fiber") { CHECK(rt::spawn(outcome).join()); }
  SUBCASE("in a thread") {
    rt::Thread thread([&] { CHECK(outcome()); });
    thread.start().value();
    thread.join();
  }
  SUBCASE("the sooner of two counts, and what was before counts afterwards") {
    rt::Timeout outer(10ms);
    {
      rt::Timeout inner(generous);
      CHECK(queue.get().error() == Errc::timed_out);
      CHECK_FALSE(inner.expired());
    }
    CHECK(outer.expired());
  }
}

TEST_CASE("a group runs no more at once than it may, and is joined as a whole") {
  rt::Group group(3);
  int alive = 0, most = 0, done = 0;
  for (int i = 0; i < 20; ++i)
    CHECK(group.spawn([&] {
      most = std::max(most, ++alive);
      rt::sleep_for(1ms);
      --alive;
      ++done;
    }));
  group.join();
  CHECK(most == 3);
  CHECK(done == 20);
  CHECK(group.size() == 0);
}

TEST_CASE("a canceled group ends early") {
  rt::Group group;
  int canceled = 0;
  for (int i = 0; i < 5; ++i)
    CHECK(group.spawn([&] {
      rt::Event never;
      if (never.wait_for(generous).error() == Errc::canceled) ++canceled;
    }));
  rt::yield();
  group.cancel();
  group.join();
  CHECK(canceled == 5);
}

TEST_CASE("the hub tells of its fibers") {
  rt::Event event;
  auto waits = rt::spawn([&] { event.wait(); });
  auto sleeps = rt::spawn([&] { CHECK(event.wait_for(generous)); });
  rt::yield();
  const rt::HubInfo before = rt::hub_info();
  CHECK(before.fibers == 2);
  CHECK(before.timers == 1);
  event.set();
  waits.join();
  sleeps.join();
  CHECK(rt::hub_info().fibers == 0);
  CHECK(rt::hub_info().timers == 0);
  CHECK(rt::hub_info().switches > before.switches);
}

TEST_CASE("fibers have names, large stacks when they ask for them, and generators of their own") {
  auto fiber = rt::spawn(rt::FiberOptions{.name = "worker", .stack_size = 1 << 20}, [] {
    volatile char large[900 * 1024];
    for (std::size_t i = 0; i < sizeof large; i += 1024) large[i] = 1;
    rt::Generator<int> numbers([](auto& yield) {
      for (int i = 1; yield(i); ++i) rt::yield(); // blocks in the body
    });
    int sum = 0;
    for (int i = 0; i < 10; ++i) sum += *numbers.next();
    return sum;
  });
  CHECK(fiber.name() == "worker");
  CHECK(fiber.join() == 55);
}

TEST_CASE("a thread's fibers are canceled when it ends") {
  bool told = false;
  rt::Thread thread([&] {
    rt::spawn([&] {
      rt::Event never;
      told = never.wait_for(generous).error() == Errc::canceled;
    });
    rt::yield();
  });
  thread.start().value();
  thread.join();
  CHECK(told);
}

TEST_CASE("many fibers sleep at once") {
  constexpr int count = 2000;
  int woken = 0;
  std::vector<rt::Fiber<void>> fibers;
  for (int i = 0; i < count; ++i)
    fibers.push_back(rt::spawn([&, i] {
      rt::sleep_for(std::chrono::microseconds(i * 7919 % 20'000));
      ++woken;
    }));
  CHECK(rt::joinall(fibers, generous));
  CHECK(woken == count);
}
