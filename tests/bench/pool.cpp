// A pool's task: to a worker and back, while both sides spin and when they sleep, beside the same with futex(2) alone
// and beside Python's pools; and how many tasks a second a map does.

#include "measure.hpp"

#include <rt/kernel/futex.hpp>
#include <rt/memory/shared_memory.hpp>
#include <rt/process/pool.hpp>

#include <memory>
#include <new>

namespace {

using rt::kernel::Sharing;

/// Binds the calling thread to the first CPU for some time.
class OnFirstCpu {
 public:
  OnFirstCpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    bench::pin_to_cpu(0);
  }
  OnFirstCpu(const OnFirstCpu&) = delete;
  ~OnFirstCpu() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

/// Two processes that wake each other, without a word in between: microseconds for a round trip.
double futexes(int count) {
  struct alignas(64) Flag {
    std::atomic<std::uint32_t> word = 0;
    void set() {
      word.store(1, std::memory_order_release);
      rt::kernel::futex_wake(word, 1, Sharing::between_processes);
    }
    void take() {
      while (word.load(std::memory_order_acquire) == 0)
        rt::kernel::futex_wait(word, 0, rt::Deadline{}, Sharing::between_processes);
      word.store(0, std::memory_order_relaxed);
    }
  };
  const auto memory = rt::SharedMemory::make(2 * sizeof(Flag)).value();
  Flag* const flags = ::new (memory.begin()) Flag[2];
  rt::Process other([flags, count] {
    bench::pin_to_cpu(1);
    for (int i = 0; i < count; ++i) {
      flags[0].take();
      flags[1].set();
    }
  });
  other.start().value();
  const OnFirstCpu bound;
  const double begin = bench::seconds();
  for (int i = 0; i < count; ++i) {
    flags[0].set();
    flags[1].take();
  }
  const double time = bench::seconds() - begin;
  other.join();
  return time / count * 1e6;
}

int plus_one(int n) { return n + 1; }

/// The pool's worker is bound to the second CPU.
double applies(rt::Pool& pool, int count) {
  const OnFirstCpu bound;
  const double begin = bench::seconds();
  for (int i = 0; i < count; ++i)
    if (pool.apply(plus_one, i).value() != i + 1) std::abort();
  return (bench::seconds() - begin) / count * 1e6;
}

/// In nanoseconds for each task.
double maps(rt::Pool& pool, std::size_t count, std::size_t chunk) {
  const std::vector<int> items(count, 7);
  const double begin = bench::seconds();
  if (pool.map(plus_one, items, chunk).value().size() != count) std::abort();
  return (bench::seconds() - begin) / static_cast<double>(count) * 1e9;
}

auto python(const std::string& what) {
  return [=] { return bench::measured_by("/usr/bin/python3 tests/bench/pools.py " + what); };
}

} // namespace

int main() {
  using namespace std::chrono_literals;
  constexpr int rounds = 5;
  const rt::PoolOptions on_other_cpu{.workers = 1, .initializer = [] { bench::pin_to_cpu(1); }};
  rt::set_spin_time(0ns);
  {
    rt::Pool pool(on_other_cpu); // its worker does not spin, either
    bench::compare("apply, both sides asleep", "us",
                   {{"futex(2), bare", [] { return futexes(500); }},
                    {"rt::Pool", [&] { return applies(pool, 500); }, bench::at_most_of_the_first(1.1)}},
                   101); // many short turns: a noisy machine changes its speed for longer than one
    bench::compare("the same in Python", "us",
                   {{"rt::Pool", [&] { return applies(pool, 500); }},
                    {"multiprocessing.Pool", python("pool_apply")},
                    {"ProcessPoolExecutor", python("executor_submit")}},
                   rounds);
  }
  rt::set_spin_time(rt::default_spin_time);
  {
    rt::Pool pool(on_other_cpu);
    bench::compare("apply, both sides spin", "us",
                   {{"rt::Pool", [&] { return applies(pool, 100'000); }, bench::at_most(2)}}, rounds);
  }
  rt::Pool pool(2);
  bench::compare("map, one item a task", "ns for each item",
                 {{"rt::Pool", [&] { return maps(pool, 1'000'000, 1); }, bench::at_most(1000)},
                  {"multiprocessing.Pool", python("pool_map")},
                  {"ProcessPoolExecutor", python("executor_map")}},
                 rounds);
  bench::compare(
      "map, the items in four tasks for each worker", "ns for each item",
      {{"rt::Pool", [&] { return maps(pool, 1'000'000, 0); }}, {"multiprocessing.Pool", python("pool_map_in_chunks")}},
      rounds);
}
