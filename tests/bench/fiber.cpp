// What fibers of one thread pay for yielding, beginning and ending, handing over a lock and an item, against
// goroutines, greenlets and gevent, which programs of those languages beside this one measure. On one CPU.

#include "measure.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/queue.hpp>

#include <mutex>

namespace {

template <class F> double nanoseconds_each(long count, F f) {
  const double begin = bench::seconds();
  f();
  return (bench::seconds() - begin) / static_cast<double>(count) * 1e9;
}

double yields() {
  constexpr long fibers = 10, each = 200'000;
  std::vector<rt::Fiber<void>> all;
  for (long i = 0; i < fibers; ++i)
    all.push_back(rt::spawn([] {
      for (long n = 0; n < each; ++n) rt::yield();
    }));
  return nanoseconds_each(fibers * each, [&] { (void)rt::joinall(all); });
}

volatile long finished = 0;

double spawns_and_joins() {
  constexpr long count = 500'000;
  return nanoseconds_each(count, [] {
    for (long i = 0; i < count; ++i) rt::spawn([] { finished = finished + 1; }).join();
  });
}

double spawns_of_a_hundred() {
  constexpr long batch = 100, count = 500'000;
  std::vector<rt::Fiber<void>> all(batch);
  return nanoseconds_each(count, [&] {
    for (long i = 0; i < count; i += batch) {
      for (auto& fiber : all) fiber = rt::spawn([] { finished = finished + 1; });
      for (auto& fiber : all) fiber.join();
    }
  });
}

// Whoever gets the lock lets the other one find it taken, and frees it.
double lock_hand_overs() {
  constexpr long each = 500'000;
  rt::Lock lock;
  const auto run = [&] {
    for (long i = 0; i < each; ++i) {
      {
        const std::lock_guard guard(lock);
        rt::yield();
      }
      rt::yield();
    }
  };
  return nanoseconds_each(2 * each, [&] {
    auto one = rt::spawn(run), other = rt::spawn(run);
    one.join();
    other.join();
  });
}

double transfers(std::size_t capacity) {
  constexpr long count = 1'000'000;
  rt::Queue<long> queue(capacity);
  long sum = 0;
  const double each = nanoseconds_each(count, [&] {
    auto producer = rt::spawn([&] {
      for (long i = 0; i < count; ++i) (void)queue.put(i);
    });
    auto consumer = rt::spawn([&] {
      for (long i = 0; i < count; ++i) sum += *queue.get();
    });
    producer.join();
    consumer.join();
  });
  if (sum != count * (count - 1) / 2) std::puts("items were lost");
  return each;
}

// There and back by a pair of queues: two transfers.
double ping_pong() {
  constexpr long count = 500'000;
  rt::Queue<long> there(1), back(1);
  return nanoseconds_each(2 * count, [&] {
    auto one = rt::spawn([&] {
      for (long i = 0; i < count; ++i) (void)there.put(i), (void)back.get();
    });
    auto other = rt::spawn([&] {
      for (long i = 0; i < count; ++i) (void)there.get(), (void)back.put(i);
    });
    one.join();
    other.join();
  });
}

std::function<double()> go(const std::string& what) {
  return [=] { return bench::measured_by(bench::beside_this_program("goroutines ") + what); };
}
std::function<double()> python(const std::string& what) {
  // Debian's, for which the packages are.
  return [=] { return bench::measured_by("/usr/bin/python3 tests/bench/greenlets.py " + what); };
}

} // namespace

int main() {
  bench::pin_to_cpu(0);
  using bench::at_most;
  bench::compare("yield, 10 fibers", "ns",
                 {{"rt::yield", yields, at_most(8)},
                  {"Go, runtime.Gosched", go("yield")},
                  {"greenlet, switch in a ring", python("greenlet-yield")},
                  {"gevent.sleep(0)", python("gevent-yield")}},
                 5);
  bench::compare("spawn and join", "ns",
                 {{"rt::spawn(...).join()", spawns_and_joins, at_most(60)},
                  {"rt, a hundred, then their joins", spawns_of_a_hundred, at_most(60)},
                  {"Go, go and a channel", go("spawn")},
                  {"greenlet, create and run", python("greenlet-spawn")},
                  {"gevent.spawn(...).join()", python("gevent-spawn")}},
                 5);
  bench::compare("a lock from fiber to fiber", "ns",
                 {{"rt::Lock", lock_hand_overs, at_most(40)},
                  {"Go, sync.Mutex", go("lock")},
                  {"gevent, BoundedSemaphore", python("gevent-lock")}},
                 5);
  bench::compare("an item from fiber to fiber, as few under way as there can be", "ns",
                 {{"rt::Queue(1)", [] { return transfers(1); }, at_most(40)},
                  {"Go, unbuffered channel", go("transfer-0")},
                  {"Go, channel of 1", go("transfer-1")},
                  {"gevent, Queue(1)", python("gevent-transfer-1")}},
                 5);
  bench::compare("there and back, each way", "ns",
                 {{"rt, a pair of Queue(1)", ping_pong, at_most(40)}, {"Go, a pair of channels", go("ping-pong")}}, 5);
  bench::compare("an item from fiber to fiber, a hundred under way", "ns",
                 {{"rt::Queue(100)", [] { return transfers(100); }, at_most(40)},
                  {"Go, channel of 100", go("transfer-100")},
                  {"gevent, Queue(100)", python("gevent-transfer-100")}},
                 5);
}
