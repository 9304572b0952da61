// Processes that are started from the midst of a busy program: threads and fibers that hold locks, wait with time
// limits, allocate, and start threads and processes themselves.

#include "check.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/process/process.hpp>
#include <rt/sync/condition.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/queue.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int threads = 4, fibers = 8, processes = 15;

struct World {
  std::atomic<int> starters = threads; // that have not finished
  bool stop() const { return starters == 0; }
  rt::Lock lock;
  rt::Queue<int> queue{4};
  rt::Queue<std::string> unbounded;
};

void allocate() {
  std::vector<std::unique_ptr<std::string>> texts;
  for (std::size_t size = 1; size < 300'000; size *= 3)
    texts.push_back(std::make_unique<std::string>(size, static_cast<char>('a' + size % 26)));
}

void keep_busy(World& world, int number) {
  while (!world.stop()) {
    const std::lock_guard guard(world.lock);
    allocate();
    if (number % 2 == 0)
      (void)world.queue.put_for(number, 1ms);
    else
      (void)world.queue.get_for(1ms);
    rt::sleep_for(std::chrono::microseconds(100 * number));
  }
}

void keep_starting_threads(World& world) {
  while (!world.stop()) {
    rt::Thread thread([&world] { (void)world.unbounded.put("text"); });
    (void)thread.start();
    thread.join();
    (void)world.unbounded.get();
  }
}

/// Everything a program may do, in a child that must not notice what its parent was doing.
int live() {
  allocate();
  if (rt::hub_info().fibers != 0) return 2;
  rt::Queue<int> answers;
  rt::Event go;
  auto first = rt::spawn([&] { return go.wait_for(20s).ok() && answers.put(1).ok(); });
  auto second = rt::spawn([&] { return go.wait_for(20s).ok() && answers.put(2).ok(); });
  rt::Thread thread([&] {
    allocate();
    rt::sleep_for(1ms);
    go.set();
  });
  thread.start().value();
  int sum = 0;
  for (int i = 0; i < 2; ++i) sum += answers.get_for(20s).value_or(100);
  thread.join();
  if (!first.join() || !second.join() || sum != 3) return 3;
  rt::Process nested([] { return 5; });
  if (!nested.start()) return 4;
  nested.join();
  return nested.exit_code().value_or(6);
}

} // namespace

RT_CASE("processes start and live, whatever the threads and fibers of their parent are at") {
  World world;
  std::atomic<int> right = 0;
  std::vector<rt::Thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&world, &right] {
      std::vector<rt::Fiber<void>> busy;
      for (int f = 0; f < fibers; ++f) busy.push_back(rt::spawn(keep_busy, std::ref(world), f));
      busy.push_back(rt::spawn([&world, &right] {
        for (int p = 0; p < processes; ++p) {
          rt::Process process(live);
          process.start().value();
          process.join();
          right += process.exit_code() == 5;
          rt::yield();
        }
        --world.starters;
      }));
      busy.back().join();
      for (std::size_t f = 0; f + 1 < busy.size(); ++f) busy[f].join();
    });
  rt::Thread starter([&world] { keep_starting_threads(world); });
  starter.start().value();
  for (auto& thread : all) thread.start().value();
  for (auto& thread : all) thread.join();
  starter.join();
  CHECK(right == threads * processes);
}
