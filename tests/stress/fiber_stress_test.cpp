// Threads with a hundred fibers each, and one without any, on each primitive: with random time limits, Timeout scopes,
// cancels from the own thread and from others, dropped handles, joins across threads; and exact counts at the end.

#include "turn.hpp"

#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

using namespace stress;

namespace {

constexpr unsigned fibers_of_a_hub = 100;

/// One of a hub's fibers, in turn. Its handle belongs to whoever holds the lock.
struct Place {
  rt::Lock lock;
  rt::Fiber<unsigned> fiber;
  unsigned number = 0; // of the fiber, which it returns
};

struct Mixture {
  unsigned hubs = 2 + seed() % 3;
  std::vector<std::unique_ptr<Place[]>> places;
  std::atomic<unsigned> next_number = 0, hubs_left = hubs;
  std::atomic<bool> over = false, wrong = false;

  Mixture() {
    for (unsigned i = 0; i < hubs; ++i) places.push_back(std::make_unique<Place[]>(fibers_of_a_hub));
  }

  /// A fiber's life: some steps, each perhaps within a Timeout.
  template <class Step> unsigned live(unsigned number, Step& step) {
    Turn turn(number);
    for (unsigned steps = 1 + turn.below(30); steps > 0 && !over; --steps) {
      std::optional<rt::Timeout> timeout;
      if (turn.below(4) == 0) timeout.emplace(turn.timeout());
      step(turn);
    }
    return number;
  }

  template <class Step> void spawn(Place& place, Step& step) {
    const unsigned number = place.number = ++next_number;
    place.fiber = rt::spawn([this, number, &step] { return live(number, step); });
  }

  void check(unsigned result, unsigned number) {
    if (result != number) wrong = true;
  }

  /// Does something at random to the fiber in one of all places, and keeps those of the own hub filled.
  template <class Step> void tend(Turn& turn, unsigned hub, Step& step) {
    const unsigned which = turn.below(2) ? hub : turn.below(hubs);
    Place& place = places[which][turn.below(fibers_of_a_hub)];
    std::unique_lock guard(place.lock);
    const bool filled = place.fiber.joinable();
    if (!filled || (which == hub && place.fiber.done())) {
      if (filled) check(place.fiber.join(), place.number);
      if (which == hub) spawn(place, step);
      return;
    }
    switch (turn.below(8)) {
    case 0:
    case 1: place.fiber.cancel(); break;
    case 2:
      if (const auto result = place.fiber.join_for(turn.timeout())) check(result.value(), place.number);
      break;
    case 3: {
      auto dropped = std::move(place.fiber);
    } break;
    case 4: {
      auto mine = std::move(place.fiber);
      const unsigned number = place.number;
      guard.unlock();
      if (turn.below(2)) mine.cancel();
      while (!mine.wait_until(rt::Deadline::after(10ms)))
        if (over || !turn.goes_on()) {
          over = true; // all others may stand here as well
          mine.cancel();
        }
      check(mine.join(), number);
      break;
    }
    default: break;
    }
  }

  template <class Step> void run_hub(unsigned hub, Step& step) {
    Turn turn(1'000'000 + hub);
    for (unsigned i = 0; i < fibers_of_a_hub; ++i) {
      const std::lock_guard guard(places[hub][i].lock);
      spawn(places[hub][i], step);
    }
    while (turn.goes_on()) {
      for (int i = 0; i < 5; ++i) tend(turn, hub, step);
      rt::yield();
      turn.delay();
    }
    over = true;
    for (unsigned i = 0; i < fibers_of_a_hub; ++i) {
      Place& place = places[hub][i];
      const std::lock_guard guard(place.lock);
      if (!place.fiber.joinable()) continue;
      place.fiber.cancel();
      check(place.fiber.join(), place.number);
    }
    while (rt::hub_info().fibers > 0) rt::sleep_for(100us); // those without a handle
    --hubs_left;
  }
};

/// Runs step(turn) in all fibers and in a thread without any, until time is over; then release(), again and again,
/// which has to let go on what waits without a limit.
template <class Step, class Release> void mix(Step step, Release release) {
  Mixture mixture;
  std::vector<std::unique_ptr<rt::Thread>> threads;
  for (unsigned i = 0; i < mixture.hubs; ++i)
    threads.push_back(std::make_unique<rt::Thread>([&mixture, &step, i] { mixture.run_hub(i, step); }));
  threads.push_back(std::make_unique<rt::Thread>([&] {
    Turn turn(2'000'000);
    while (turn.goes_on() && !mixture.over) step(turn);
  }));
  threads.push_back(std::make_unique<rt::Thread>([&] {
    while (!mixture.over) rt::sleep_for(1ms);
    while (mixture.hubs_left > 0) {
      release();
      rt::sleep_for(1ms);
    }
    release();
  }));
  for (auto& thread : threads) thread->start().value();
  const auto time = limit + std::chrono::duration<double>(seconds());
  for (auto& thread : threads)
    if (!thread->join_for(time)) report_hang();
  CHECK(!mixture.wrong);
}

void nothing() {}

/// Held by one at a time, with plain counts that ThreadSanitizer would see otherwise.
struct Guarded {
  long value = 0;
  std::atomic<long> taken = 0;

  void use(Turn& turn) {
    const long before = value;
    turn.delay();
    value = before + 1;
    ++taken;
  }
};

} // namespace

TEST_CASE_TEMPLATE("fibers and threads exclude each other by a lock", L, rt::Lock, rt::RLock) {
  L lock;
  Guarded guarded;
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(3);
        if (way == 0) {
          lock.lock();
        } else if (!(way == 1 ? lock.try_lock() : lock.try_lock_for(turn.timeout()).ok())) {
          return;
        }
        guarded.use(turn);
        lock.unlock();
        turn.delay();
      },
      nothing);
  CHECK(guarded.value == guarded.taken);
  CHECK(!lock.locked());
}

TEST_CASE("fibers and threads hand permits around") {
  constexpr int permits = 3;
  rt::Semaphore semaphore(permits);
  std::atomic<int> inside = 0;
  std::atomic<bool> too_many = false;
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(3);
        if (way == 0) {
          semaphore.acquire();
        } else if (!(way == 1 ? semaphore.try_acquire() : semaphore.try_acquire_for(turn.timeout()).ok())) {
          return;
        }
        if (++inside > permits) too_many = true;
        turn.delay();
        --inside;
        semaphore.release();
      },
      nothing);
  CHECK(!too_many);
  CHECK(semaphore.value() == permits);
}

TEST_CASE("a permit that meets a cancel or a time limit is taken once, or still there") {
  rt::Semaphore semaphore(0);
  std::atomic<long> released = 0, taken = 0;
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(8);
        if (way < 3) {
          const unsigned n = 1 + turn.below(3);
          released += n;
          semaphore.release(n);
          rt::yield();
        } else if (way == 3) {
          semaphore.acquire();
          ++taken;
        } else {
          taken += semaphore.try_acquire_for(way == 4 ? rt::forever : turn.timeout()).ok();
        }
      },
      [&] {
        released += 1000;
        semaphore.release(1000);
      });
  CHECK(released == taken + semaphore.value());
}

TEST_CASE("items under a condition are neither lost nor doubled by cancels and time limits") {
  constexpr std::size_t capacity = 4;
  rt::Lock lock;
  rt::Condition not_empty, not_full;
  std::deque<long> items;
  long put = 0, got = 0;
  bool in_order = true, closed = false;
  // A wait that ends, for whatever reason, looks for its condition once more, so no notification is lost by it.
  const auto wait = [&](rt::Condition& condition, auto& guard, Turn& turn, auto ready) {
    if (turn.below(3) == 0) {
      condition.wait(guard, [&] { return ready() || closed; });
      return ready();
    }
    if (condition.wait_for(guard, turn.timeout(), [&] { return ready() || closed; })) return ready();
    return false;
  };
  mix(
      [&](Turn& turn) {
        std::unique_lock guard(lock);
        if (turn.below(2)) {
          if (!wait(not_full, guard, turn, [&] { return items.size() < capacity; })) return;
          items.push_back(put++);
          not_empty.notify_one();
        } else {
          if (!wait(not_empty, guard, turn, [&] { return !items.empty(); })) return;
          if (items.front() != got) in_order = false;
          items.pop_front();
          ++got;
          not_full.notify_one();
        }
      },
      [&] {
        const std::lock_guard guard(lock);
        closed = true;
        not_empty.notify_all();
        not_full.notify_all();
      });
  CHECK(in_order);
  CHECK(put == got + static_cast<long>(items.size()));
  CHECK(put > 0);
}

TEST_CASE("each notification ends exactly one fiber's or thread's wait") {
  rt::RLock lock;
  rt::Condition condition;
  long notified = 0, returned = 0;
  unsigned waiting = 0; // what the length of the condition's list has to be
  const auto notify = [&](unsigned n) {
    condition.notify(n);
    waiting -= n;
    notified += n;
  };
  mix(
      [&](Turn& turn) {
        const std::lock_guard guard(lock);
        if (turn.below(2) || waiting > 50) {
          if (waiting > 0) notify(1 + turn.below(waiting));
        } else {
          ++waiting;
          condition.wait(lock);
          ++returned;
        }
        turn.delay();
      },
      [&] {
        const std::lock_guard guard(lock);
        notify(waiting);
      });
  CHECK(notified == returned);
  CHECK(waiting == 0);
}

TEST_CASE("an event that is set and cleared at once releases fibers and threads") {
  rt::Event event;
  std::atomic<long> woken = 0;
  mix(
      [&](Turn& turn) {
        switch (turn.below(4)) {
        case 0: event.wait(); break;
        case 1: (void)event.wait_for(turn.timeout()); break;
        default:
          event.set();
          turn.delay();
          event.clear();
          return;
        }
        ++woken;
      },
      [&] { event.set(); });
  CHECK(woken > 0);
}

TEST_CASE("a barrier that cancels and time limits break releases all or none") {
  constexpr unsigned parties = 3;
  std::atomic<long> actions = 0, passed[parties] = {};
  rt::Barrier barrier(parties, [&] { ++actions; });
  mix(
      [&](Turn& turn) {
        if (turn.below(8) == 0) {
          barrier.reset();
          return;
        }
        const auto result = turn.below(2) ? barrier.wait() : barrier.wait_for(turn.timeout());
        if (result) ++passed[result.value()];
        turn.delay();
      },
      [&] { barrier.abort(); });
  // The abort may meet the release of the others in the last round.
  for (const auto& each : passed) {
    CHECK(each <= actions);
    CHECK(each + 1 >= actions);
  }
  barrier.reset();
  CHECK(!barrier.broken());
}

TEST_CASE("a barrier keeps the fibers of several hubs in step") {
  const unsigned hubs = 2 + seed() % 3, fibers = 20, parties = hubs * fibers + 1;
  long actions = 0;
  std::atomic<long> sum = 0;
  std::atomic<bool> stop = false, wrong = false;
  std::vector<long> steps(parties);
  rt::Barrier barrier(parties, [&] { ++actions; });
  const auto party = [&](unsigned number) {
    Turn turn(number);
    for (long round = 1;; ++round) {
      steps[number] = round;
      turn.delay();
      if (number == 0 && !turn.goes_on()) stop = true;
      sum += barrier.wait().value_or(1'000'000u);
      for (long step : steps)
        if (step != round) wrong = true;
      const bool last = stop;
      sum += barrier.wait_for(limit).value_or(1'000'000u);
      if (last) return;
    }
  };
  std::vector<std::unique_ptr<rt::Thread>> threads;
  threads.push_back(std::make_unique<rt::Thread>(party, 0u));
  for (unsigned hub = 0; hub < hubs; ++hub)
    threads.push_back(std::make_unique<rt::Thread>([&, hub] {
      std::vector<rt::Fiber<void>> all;
      for (unsigned i = 0; i < fibers; ++i) all.push_back(rt::spawn(party, 1 + hub * fibers + i));
      (void)rt::joinall(all);
    }));
  for (auto& thread : threads) thread->start().value();
  for (auto& thread : threads)
    if (!thread->join_for(limit + std::chrono::duration<double>(seconds()))) report_hang();
  CHECK(!wrong);
  CHECK(actions == 2 * steps[0]);
  CHECK(sum == actions * (long{parties} * (parties - 1) / 2));
}

namespace {

struct RingOfOne : rt::Queue<long> {
  RingOfOne() : Queue(1) {}
};
struct Ring : rt::Queue<long> {
  Ring() : Queue(8) {}
};
struct Unbounded : rt::Queue<long> {};
struct Stack : rt::LifoQueue<long> {
  Stack() : LifoQueue(4) {}
};
struct Sorted : rt::PriorityQueue<long> {
  Sorted() : PriorityQueue(4) {}
};

} // namespace

TEST_CASE_TEMPLATE("every item of a queue is got once, whoever is canceled", Q, RingOfOne, Ring, Unbounded, Stack,
                   Sorted) {
  Q queue;
  std::atomic<long> number = 0, put = 0, put_sum = 0, got = 0, got_sum = 0;
  const auto take = [&](const auto& item) {
    if (!item) return;
    ++got;
    got_sum += item.value();
    if (!queue.task_done()) got_sum = -1'000'000'000'000;
  };
  mix(
      [&](Turn& turn) {
        const unsigned way = turn.below(6);
        if (way < 3) {
          const long item = ++number;
          const auto done = way == 0   ? queue.put(item)
                            : way == 1 ? queue.try_put(item)
                                       : queue.put_for(item, turn.timeout());
          if (!done) return;
          ++put;
          put_sum += item;
        } else {
          take(way == 3 ? queue.get() : way == 4 ? queue.try_get() : queue.get_for(turn.timeout()));
        }
        turn.delay();
      },
      [&] { queue.shutdown(); });
  while (queue.size() > 0) take(queue.try_get());
  queue.join();
  CHECK(put == got);
  CHECK(put_sum == got_sum);
  CHECK(put > 0);
}

TEST_CASE("threads are started and joined by fibers") {
  std::atomic<long> started = 0, ran = 0;
  mix(
      [&](Turn& turn) {
        if (turn.below(8)) return rt::yield();
        rt::Thread thread([&, with_hub = turn.below(2) == 0] {
          if (with_hub)
            rt::spawn([&] { ++ran; }).join();
          else
            ++ran;
        });
        if (!thread.start()) return;
        ++started;
        (void)thread.join_for(turn.timeout());
        (void)thread.is_alive();
        thread.join();
      },
      nothing);
  CHECK(ran == started);
  CHECK(ran > 0);
}

TEST_CASE("storms of fibers end, with or without a handle, canceled or not") {
  std::atomic<long> spawned = 0, ended = 0, destroyed = 0;
  struct Counted {
    std::atomic<long>* count;
    explicit Counted(std::atomic<long>& counter) : count(&counter) {}
    Counted(Counted&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
    ~Counted() {
      if (count) ++*count;
    }
  };
  mix(
      [&](Turn& turn) {
        std::vector<rt::Fiber<Counted>> kept;
        for (unsigned i = turn.below(10); i > 0; --i) {
          ++spawned;
          rt::FiberOptions options;
          if (turn.below(16) == 0) options.stack_size = std::size_t{1} << (15 + turn.below(5)); // another pool
          auto fiber = rt::spawn(options, [&, nap = turn.timeout(), way = turn.below(3)] {
            if (way == 0) rt::sleep_for(nap);
            if (way == 1) rt::yield();
            ++ended;
            return Counted(destroyed);
          });
          if (turn.below(4) == 0) fiber.cancel();
          if (turn.below(2)) kept.push_back(std::move(fiber));
        }
        if (turn.below(2)) (void)rt::joinall(kept, turn.timeout());
      },
      nothing);
  CHECK(spawned == ended);
  CHECK(spawned == destroyed);
  CHECK(spawned > 0);
}

TEST_CASE("generators and greenlets block and end within fibers") {
  rt::Lock lock;
  Guarded guarded;
  std::atomic<long> made = 0, ended = 0;
  struct Local {
    std::atomic<long>& count;
    ~Local() { ++count; }
  };
  mix(
      [&](Turn& turn) {
        ++made;
        if (turn.below(2)) {
          rt::Generator<int> numbers([&](auto& yield) {
            const Local local{ended};
            for (int i = 0;; ++i) {
              {
                const std::lock_guard guard(lock);
                guarded.use(turn);
              }
              if (!yield(i)) return;
            }
          });
          const int count = 1 + static_cast<int>(turn.below(4));
          for (int i = 0; i < count; ++i)
            if (numbers.next() != i) guarded.value = -1'000'000'000;
        } else {
          rt::Greenlet& root = rt::Greenlet::current();
          rt::Greenlet other([&] {
            const Local local{ended};
            while (!rt::Greenlet::current().killed()) {
              {
                const std::lock_guard guard(lock);
                guarded.use(turn);
              }
              root.switch_to();
            }
          });
          for (unsigned i = 1 + turn.below(4); i > 0; --i) other.switch_to();
        }
      },
      nothing);
  CHECK(guarded.value == guarded.taken);
  CHECK(made == ended);
  CHECK(made > 0);
}
