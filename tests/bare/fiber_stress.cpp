// Threads with many fibers each, and one without any, on all primitives at once, with exact counts at the end. In steps
// rather than for a time, and few enough for an emulated machine; tests/stress goes on for longer.

#include "check.hpp"

#include <rt/rt.hpp>

#include <memory>
#include <optional>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr unsigned hubs = 3, fibers_of_a_hub = 100, steps = 20;

/// G. Marsaglia's xorshift: the same numbers in every run.
class Random {
 public:
  explicit Random(unsigned seed) : state_(seed * 2654435761u + 1) {}
  unsigned below(unsigned n) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_ % n;
  }
  std::chrono::microseconds timeout() { return std::chrono::microseconds(below(4) == 0 ? 0 : below(500)); }

 private:
  std::uint32_t state_;
};

/// What all share, and what has to come out.
struct Shared {
  rt::Lock lock;
  long locked = 0; // plain
  std::atomic<long> taken = 0;

  rt::Semaphore semaphore{3};
  std::atomic<int> inside = 0;

  rt::Queue<long> ring{4};
  rt::LifoQueue<long> stack{4};
  std::atomic<long> put = 0, got = 0;

  rt::Event event;
  std::atomic<unsigned> ended = 0;

  void use_lock(Random& random) {
    if (random.below(2))
      lock.lock();
    else if (!lock.try_lock_for(random.timeout()))
      return;
    const long before = locked;
    if (random.below(8) == 0) rt::yield();
    locked = before + 1;
    lock.unlock();
    ++taken;
  }

  void use_semaphore(Random& random) {
    if (random.below(2))
      semaphore.acquire();
    else if (!semaphore.try_acquire_for(random.timeout()))
      return;
    CHECK(++inside <= 3);
    if (random.below(4) == 0) rt::sleep_for(random.timeout() / 10);
    --inside;
    semaphore.release();
  }

  template <class Queue> void use_queue(Queue& queue, Random& random) {
    if (random.below(2)) {
      const long item = 1 + random.below(1000);
      if (queue.put_for(item, random.timeout())) put += item;
    } else if (const auto item = queue.get_for(random.timeout())) {
      got += *item;
    }
  }

  void use_event(Random& random) {
    if (random.below(2)) return (void)event.wait_for(random.timeout());
    event.set();
    rt::yield();
    event.clear();
  }

  /// One task's work; returns its number.
  unsigned work(unsigned number) {
    Random random(number);
    for (unsigned step = 0; step < steps; ++step) {
      std::optional<rt::Timeout> timeout;
      if (random.below(4) == 0) timeout.emplace(random.timeout());
      switch (random.below(5)) {
      case 0: use_lock(random); break;
      case 1: use_semaphore(random); break;
      case 2: use_queue(ring, random); break;
      case 3: use_queue(stack, random); break;
      default: use_event(random); break;
      }
    }
    ++ended;
    return number;
  }
};

struct Numbered {
  rt::Fiber<unsigned> fiber;
  unsigned number;
};

} // namespace

RT_CASE("fibers of several threads share all primitives, while they are canceled and joined by other threads") {
  Shared shared;
  auto handles = std::make_unique<rt::Queue<Numbered>[]>(hubs);
  const auto run_hub = [&](unsigned hub) {
    Random random(1000 + hub);
    for (unsigned i = 0; i < fibers_of_a_hub; ++i) {
      const unsigned number = hub * fibers_of_a_hub + i;
      CHECK(handles[hub].put({rt::spawn([&shared, number] { return shared.work(number); }), number}));
      if (random.below(4) == 0) rt::yield();
    }
    // The next thread's fibers, as they come.
    for (unsigned i = 0; i < fibers_of_a_hub; ++i) {
      auto [fiber, number] = handles[(hub + 1) % hubs].get().value();
      if (random.below(3) == 0) fiber.cancel();
      if (random.below(4) == 0) continue; // drops it
      if (auto early = fiber.join_for(random.timeout()))
        CHECK(*early == number);
      else
        CHECK(fiber.join() == number);
    }
    while (rt::hub_info().fibers > 0) rt::sleep_for(1ms);
  };
  rt::Thread a(run_hub, 0u), b(run_hub, 1u), c(run_hub, 2u);
  rt::Thread without([&] { (void)shared.work(hubs * fibers_of_a_hub); });
  for (rt::Thread* thread : {&a, &b, &c, &without}) thread->start().value();
  for (rt::Thread* thread : {&a, &b, &c, &without}) thread->join();

  while (auto item = shared.ring.try_get()) shared.got += *item;
  while (auto item = shared.stack.try_get()) shared.got += *item;
  CHECK(shared.ended == hubs * fibers_of_a_hub + 1);
  CHECK(shared.locked == shared.taken);
  CHECK(shared.semaphore.value() == 3);
  CHECK(shared.put == shared.got);
  CHECK(shared.put > 0);
}

RT_CASE("a barrier keeps fibers of several threads in step") {
  constexpr unsigned fibers = 20, parties = hubs * fibers;
  constexpr long rounds = 10;
  long actions = 0;
  std::atomic<long> sum = 0;
  rt::Barrier barrier(parties, [&] { ++actions; });
  const auto run_hub = [&] {
    std::vector<rt::Fiber<void>> all;
    for (unsigned i = 0; i < fibers; ++i)
      all.push_back(rt::spawn([&] {
        for (long round = 1; round <= rounds; ++round) {
          sum += barrier.wait().value();
          CHECK(actions >= round);
        }
      }));
    CHECK(rt::joinall(all));
  };
  rt::Thread a(run_hub), b(run_hub), c(run_hub);
  for (rt::Thread* thread : {&a, &b, &c}) thread->start().value();
  for (rt::Thread* thread : {&a, &b, &c}) thread->join();
  CHECK(actions == rounds);
  CHECK(sum == rounds * (parties * (parties - 1) / 2));
}

RT_CASE("threads come and go, each with fibers that nobody waits for") {
  std::atomic<unsigned> ended = 0;
  std::atomic<unsigned> canceled = 0;
  for (int round = 0; round < 20; ++round) {
    const auto run_hub = [&] {
      for (unsigned i = 0; i < 30; ++i)
        rt::spawn([&, i] {
          rt::Event never;
          if (i % 3 == 0) rt::yield();
          if (never.wait_for(i % 3 == 1 ? 100us : 30s).error() == rt::Errc::canceled) ++canceled;
          ++ended;
        });
      rt::yield();
    };
    rt::Thread a(run_hub), b(run_hub);
    a.start().value();
    b.start().value();
    // Two fibers wait for each of them.
    std::vector<rt::Fiber<void>> joiners;
    for (rt::Thread* thread : {&a, &b, &a, &b}) joiners.push_back(rt::spawn([thread] { thread->join(); }));
    CHECK(rt::joinall(joiners));
  }
  CHECK(ended == 20 * 2 * 30);
  CHECK(canceled >= 20 * 2 * 20);
}
