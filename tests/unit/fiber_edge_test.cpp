// Fibers where things meet: wake-ups with cancels and ends, threads' ends with fibers that wait, large and aligned
// calls.

#include "sync_test.hpp"

#include <rt/hub/timers.hpp>
#include <rt/memory/stack_pool.hpp>
#include <rt/rt.hpp>
#include <rt/sync/spin.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <random>

using namespace sync_test;
using rt::Errc;

namespace {

constexpr auto generous = 30s;

/// Nobody spins: who waits sleeps at once.
class WithoutSpinning {
 public:
  WithoutSpinning() { rt::set_spin_time(0ns); }
  WithoutSpinning(const WithoutSpinning&) = delete;
  ~WithoutSpinning() { rt::set_spin_time(rt::default_spin_time); }
};

/// Looks busy for about as long: a delay below what sleeping can be asked for.
void dawdle(unsigned steps) {
  for (unsigned i = 0; i < steps; ++i) asm volatile("");
}

} // namespace

TEST_CASE("a cancel by another thread reaches a hub that is just falling asleep") {
  const WithoutSpinning none;
  std::minstd_rand random(1);
  std::atomic<rt::Fiber<Errc>*> next = nullptr; // the canceler's, until it has taken it out
  std::atomic<bool> over = false;
  Running canceler([&] {
    while (!over) {
      rt::Fiber<Errc>* const fiber = next;
      if (!fiber) continue;
      dawdle(static_cast<unsigned>(random() % 2000));
      fiber->cancel();
      next = nullptr;
    }
  });
  const auto begin = rt::Clock::now();
  for (int round = 0; round < 20'000 && rt::Clock::now() - begin < 1s; ++round) {
    rt::Event ended;
    auto fiber = rt::spawn([&] {
      rt::Event never;
      const Errc error = never.wait_for(limit).error().code;
      ended.set();
      return error;
    });
    next = &fiber;
    ended.wait(); // not in join(): the handle is the canceler's
    while (next) {
    }
    const Errc error = fiber.join();
    if (error == Errc::canceled) continue;
    CHECK(error == Errc::canceled);
    break;
  }
  over = true;
}

TEST_CASE("a condition's lock may block, and yield, while it is freed") {
  // Notified meanwhile, the fiber is made ready for a wait that it has not come to.
  struct Slow {
    rt::Lock lock_;
    rt::Event* freed;
    void lock() { lock_.lock(); }
    void unlock() {
      lock_.unlock();
      freed->set();
      rt::yield();
      rt::sleep_for(200us);
      rt::yield();
    }
  };
  for (int round = 0; round < 50; ++round) {
    rt::Event freed;
    Slow lock{{}, &freed};
    rt::Condition condition;
    bool notified = false;
    auto waiter = rt::spawn([&] {
      lock.lock();
      condition.wait(lock);
      CHECK(notified);
      lock.lock_.unlock();
    });
    Running notifier([&] {
      freed.wait();
      notified = true;
      condition.notify_one();
    });
    auto busy = rt::spawn([&] {
      for (int i = 0; i < 20; ++i) rt::sleep_for(20us);
    });
    REQUIRE(waiter.join_for(generous));
    busy.join();
    notifier.join();
  }
}

TEST_CASE("timers are looked at while fibers end and others yield") {
  bool over = false;
  const auto begin = rt::Clock::now();
  auto sleeper = rt::spawn([&] {
    rt::sleep_for(20ms);
    over = true;
  });
  std::vector<rt::Fiber<void>> short_lived;
  for (int yields = 0; yields < 256; ++yields)
    short_lived.push_back(rt::spawn([yields] {
      for (int i = 0; i < yields; ++i) rt::yield();
    }));
  auto busy = rt::spawn([&] {
    while (!over && rt::Clock::now() - begin < limit) rt::yield();
  });
  while (!over && rt::Clock::now() - begin < limit) rt::yield();
  CHECK(over);
  sleeper.join();
  busy.join();
}

TEST_CASE("timers are looked at in a chain of fibers that end as soon as they have spawned the next") {
  bool over = false;
  const auto begin = rt::Clock::now();
  auto sleeper = rt::spawn([&] {
    rt::sleep_for(5ms);
    over = true;
  });
  struct Link {
    bool& over;
    rt::Clock::time_point begin;
    void operator()() const {
      if (!over && rt::Clock::now() - begin < limit) rt::spawn(*this);
    }
  };
  rt::spawn(Link{over, begin});
  sleeper.join();
  CHECK(rt::Clock::now() - begin < limit);
}

TEST_CASE("a thread that wakes a fiber and ends does not leave a hub that thinks itself stuck") {
  const ChildEnd end = in_child([] {
    rt::set_spin_time(0ns);
    std::minstd_rand random(1);
    for (int round = 0; round < 2000; ++round) {
      rt::Event event;
      rt::Thread thread(rt::ThreadOptions{.daemon = true}, [&event, steps = random() % 4000] {
        dawdle(static_cast<unsigned>(steps));
        event.set();
      });
      thread.start().value();
      rt::spawn([&] { event.wait(); }).join();
    }
    return true;
  });
  CHECK_MESSAGE(end.exited_with(0), end.output);
}

TEST_CASE("a hub is stuck only when no other thread could wake one of its fibers") {
  SUBCASE("the only thread: a report that names what waits") {
    check_panics("all fibers wait for ever", [] {
      rt::Event never;
      rt::spawn(rt::FiberOptions{.name = "forgotten"}, [&] { never.wait(); }).join();
    });
  }
  SUBCASE("beside another thread it waits") {
    rt::Event event;
    Running other([&] {
      rt::sleep_for(50ms);
      event.set();
    });
    rt::spawn([&] { event.wait(); }).join();
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

TEST_CASE("timers give deadlines back soonest first, whichever are removed in between") {
  std::mt19937 random(20);
  constexpr std::size_t count = 500;
  rt::hub::Timers timers;
  REQUIRE(timers.reserve(count));
  auto flows = std::make_unique<rt::hub::Flow[]>(count);
  std::multimap<std::int64_t, rt::hub::Flow*> model;
  for (int step = 0; step < 50'000; ++step) {
    rt::hub::Flow& flow = flows[random() % count];
    if (flow.timer == rt::hub::Flow::no_timer) {
      const auto deadline = static_cast<std::int64_t>(random() % 100); // many are the same
      timers.add(flow, deadline);
      model.emplace(deadline, &flow);
    } else if (random() % 2) {
      timers.remove(flow);
      std::erase_if(model, [&](const auto& entry) { return entry.second == &flow; });
      CHECK(flow.timer == rt::hub::Flow::no_timer);
    }
    REQUIRE(timers.size() == model.size());
    if (!model.empty()) REQUIRE(timers.first_deadline() == model.begin()->first);
  }
  while (!timers.empty()) {
    REQUIRE(timers.first_deadline() == model.begin()->first);
    const auto [first, last] = model.equal_range(timers.first_deadline());
    const auto found = std::find_if(first, last, [&](const auto& entry) { return entry.second == &timers.first(); });
    REQUIRE(found != last);
    timers.remove(timers.first());
    model.erase(found);
  }
  CHECK(model.empty());
}

TEST_CASE("a group that is joined can be canceled, and joined by a second fiber") {
  rt::Group group;
  int ended = 0;
  for (int i = 0; i < 3; ++i)
    CHECK(group.spawn([&] {
      rt::Event never;
      CHECK(never.wait_for(generous).error() == Errc::canceled);
      ++ended;
    }));
  const auto join = [&] {
    group.join();
    CHECK(ended == 3);
  };
  auto first = rt::spawn(join), second = rt::spawn(join);
  rt::sleep_for(1ms);
  CHECK(group.size() == 3);
  const auto begin = rt::Clock::now();
  group.cancel();
  first.join();
  second.join();
  CHECK(rt::Clock::now() - begin < generous);
  CHECK(group.size() == 0);
}

TEST_CASE("a group is joined with what its fibers add, and with what their callables hold") {
  auto held = std::make_shared<int>(0);
  {
    rt::Group group;
    CHECK(group.spawn([&, held] {
      rt::sleep_for(1ms);
      CHECK(group.spawn([&, held] {
        rt::sleep_for(1ms);
        CHECK(group.spawn([held] { rt::sleep_for(1ms); }));
      }));
    }));
    CHECK(held.use_count() == 2);
    group.join();
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("who waits for a place in a group can be canceled or run out of time") {
  rt::Group group(1);
  rt::Event go;
  bool ran = false;
  CHECK(group.spawn([&] { go.wait(); }));
  {
    rt::Timeout timeout(1ms);
    CHECK(group.spawn([&] { ran = true; }).error() == Errc::timed_out);
  }
  auto waiting = rt::spawn([&] { return group.spawn([&] { ran = true; }).error().code; });
  rt::yield();
  waiting.cancel();
  CHECK(waiting.join() == Errc::canceled);
  CHECK_FALSE(ran);
  go.set();
  CHECK(group.spawn([&] { ran = true; }));
  group.join();
  CHECK(ran);
}

TEST_CASE("a Timeout leaves alone what cannot tell of it") {
  rt::Event event;
  rt::Semaphore semaphore(0);
  rt::Lock lock;
  lock.lock();
  auto fiber = rt::spawn([&] {
    rt::Timeout timeout(1ms);
    event.wait();
    semaphore.acquire();
    const std::lock_guard guard(lock);
    CHECK(timeout.expired());
    CHECK(event.is_set());
    rt::Event never;
    CHECK(never.wait_for(generous).error() == Errc::timed_out);
  });
  rt::sleep_for(5ms);
  CHECK_FALSE(fiber.done());
  event.set();
  rt::sleep_for(1ms);
  semaphore.release();
  rt::sleep_for(1ms);
  CHECK_FALSE(fiber.done());
  lock.unlock();
  fiber.join();
}

TEST_CASE("a cancel that meets a hand-over leaves the permit with one of both") {
  const WithoutSpinning none;
  std::minstd_rand random(3);
  rt::Semaphore semaphore(0);
  rt::Queue<int> queue(1);
  long permits = 0, items = 0, released = 0;
  rt::Queue<unsigned> steps(1);
  rt::Queue<bool> done(1);
  Running giver([&] {
    while (auto wait = steps.get()) {
      dawdle(*wait);
      semaphore.release();
      CHECK(queue.put(1));
      done.put(true).value();
    }
  });
  for (int round = 0; round < 1500; ++round) {
    auto permit = rt::spawn([&] { return semaphore.try_acquire_for(generous).ok(); });
    auto item = rt::spawn([&] { return queue.get().ok(); });
    rt::yield();
    steps.put(static_cast<unsigned>(random() % 2000)).value();
    dawdle(static_cast<unsigned>(random() % 2000));
    permit.cancel();
    item.cancel();
    permits += permit.join();
    items += item.join();
    // The giver waits for space as long as the item has not been taken.
    REQUIRE(done.get());
    ++released;
    permits += semaphore.try_acquire();
    items += queue.try_get().ok();
    REQUIRE(permits == released);
    REQUIRE(items == released);
  }
  steps.shutdown();
  giver.join();
}

TEST_CASE("a thread is joined by many fibers at once, some of them for a limited time") {
  rt::Event event;
  Running thread([&] { event.wait(); });
  int joined = 0, timed_out = 0;
  std::vector<rt::Fiber<void>> fibers;
  for (int i = 0; i < 50; ++i)
    fibers.push_back(rt::spawn([&, i] {
      CHECK(thread.is_alive());
      if (i % 3 == 0) {
        CHECK(thread.join_for(i * 20us).error() == Errc::timed_out);
        ++timed_out;
      } else if (i % 3 == 1) {
        thread.join();
        CHECK_FALSE(thread.is_alive());
        ++joined;
      } else {
        CHECK(thread.join_for(generous));
        ++joined;
      }
    }));
  CHECK(becomes([&] { return timed_out == 17; }));
  CHECK(joined == 0);
  event.set();
  CHECK(rt::joinall(fibers, generous));
  CHECK(joined == 33);
}

TEST_CASE("a fiber that waits for a thread's end can be canceled") {
  rt::Event event;
  Running thread([&] { event.wait(); });
  auto fiber = rt::spawn([&] { return thread.join_for(generous).error().code; });
  rt::yield();
  fiber.cancel();
  CHECK(fiber.join() == Errc::canceled);
  event.set();
}

TEST_CASE("a fiber that joins its own thread ends the program") {
  check_panics("its own thread", [] {
    rt::Thread* self = nullptr;
    rt::Thread thread([&] { rt::spawn([&] { self->join(); }).join(); });
    self = &thread;
    thread.start().value();
    thread.join();
  });
}

TEST_CASE("a fiber that waits for a lock when its thread ends gets it, however long that takes") {
  rt::Lock lock;
  bool got = false;
  lock.lock();
  Running thread([&] {
    rt::spawn([&] {
      const std::lock_guard guard(lock);
      got = true;
    });
    rt::yield();
  });
  rt::sleep_for(400ms); // longer than the dead-lock detector leaves it alone
  CHECK(thread.is_alive());
  lock.unlock();
  thread.join();
  CHECK(got);
}

TEST_CASE("hubs are used again by later threads") {
  for (int round = 0; round < 20; ++round) {
    long sum = 0;
    Running thread([&] {
      std::vector<rt::Fiber<int>> fibers;
      for (int i = 0; i < 10; ++i)
        fibers.push_back(rt::spawn([i] {
          rt::yield();
          return i;
        }));
      for (auto& fiber : fibers) sum += fiber.join();
    });
    thread.join();
    CHECK(sum == 45);
  }
}

TEST_CASE("a generator is resumed by whichever fiber has it") {
  rt::Generator<int> numbers([](auto& yield) {
    for (int i = 0; yield(i); ++i) rt::yield();
  });
  CHECK(*numbers.next() == 0);
  int expected = 1;
  for (int i = 0; i < 20; ++i)
    rt::spawn([&] {
      const auto use = [&] { CHECK(*numbers.next() == expected++); };
      use();
      use();
    }).join();
  CHECK(*numbers.next() == expected);
}

TEST_CASE("greenlets of a fiber block it wherever they are") {
  const auto play = [](int rounds) {
    rt::Greenlet& root = rt::Greenlet::current();
    int steps = 0;
    rt::Greenlet other([&] {
      const auto step = [&] {
        rt::sleep_for(10us);
        ++steps;
        rt::yield();
      };
      while (steps < rounds) {
        step();
        root.switch_to();
      }
    });
    while (!other.dead()) {
      other.switch_to();
      rt::yield();
    }
    return steps;
  };
  std::vector<rt::Fiber<int>> fibers;
  for (int i = 1; i <= 20; ++i) fibers.push_back(rt::spawn(play, i));
  for (int i = 1; i <= 20; ++i) CHECK(fibers[static_cast<std::size_t>(i - 1)].join() == i);
}

namespace {

std::atomic<int> reports;
std::vector<rt::DeadlockMember> last_cycle;
rt::Lock held[3];

// Whoever finds the cycle gives away what it holds.
void give_way(std::span<const rt::DeadlockMember> cycle) {
  ++reports;
  last_cycle.assign(cycle.begin(), cycle.end());
  for (auto& lock : held)
    if (lock.held()) lock.unlock();
}

void take_two(rt::Lock& first, rt::Lock& second, rt::Barrier& all) {
  first.lock();
  CHECK(all.wait_for(generous));
  second.lock();
  second.unlock();
  if (first.held()) first.unlock();
}

} // namespace

TEST_CASE("fibers that wait for each other's locks are found, in one hub and across two") {
  reports = 0;
  rt::on_deadlock(give_way);
  rt::Barrier all(3);
  std::vector<std::string> names;
  SUBCASE("one hub") {
    std::vector<rt::Fiber<void>> fibers;
    for (std::size_t i = 0; i < 3; ++i)
      fibers.push_back(rt::spawn(rt::FiberOptions{.name = "f" + std::to_string(i)},
                                 [&, i] { take_two(held[i], held[(i + 1) % 3], all); }));
    CHECK(rt::joinall(fibers, generous));
  }
  SUBCASE("two hubs and a thread without") {
    const auto in_fiber = [&](std::size_t i) {
      return [&, i] {
        rt::spawn(rt::FiberOptions{.name = "f" + std::to_string(i)}, [&] {
          take_two(held[i], held[(i + 1) % 3], all);
        }).join();
      };
    };
    Running one(in_fiber(0)), two(in_fiber(1));
    Running three(rt::ThreadOptions{.name = "f2"}, [&] { take_two(held[2], held[0], all); });
  }
  rt::on_deadlock(nullptr);
  CHECK(reports >= 1);
  REQUIRE(last_cycle.size() == 3);
  for (const auto& member : last_cycle) names.push_back(member.name.data());
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"f0", "f1", "f2"});
  for (auto& lock : held) CHECK(!lock.locked());
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
