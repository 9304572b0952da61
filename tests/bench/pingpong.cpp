// One task wakes another and waits for its answer: a round trip through each primitive, between two CPUs and on one.

#include "measure.hpp"

#include <rt/kernel/futex.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/semaphore.hpp>
#include <rt/sync/waiter.hpp>

#include <thread>

namespace {

bool one_cpu = false;

template <class Wake, class Wait> double round_trip(int count, Wake wake, Wait wait) {
  std::thread other([&] {
    bench::pin_to_cpu(one_cpu ? 0 : 1);
    for (int i = 0; i < count; ++i) {
      wait(0);
      wake(1);
    }
  });
  bench::pin_to_cpu(0);
  const double begin = bench::seconds();
  for (int i = 0; i < count; ++i) {
    wake(0);
    wait(1);
  }
  other.join();
  return (bench::seconds() - begin) / count * 1e6;
}

double futexes(int count) {
  struct alignas(64) Flag {
    std::atomic<std::uint32_t> word = 0;
  };
  static Flag flags[2];
  using rt::kernel::Sharing;
  return round_trip(
      count,
      [](int i) {
        flags[i].word.store(1, std::memory_order_release);
        rt::kernel::futex_wake(flags[i].word, 1, Sharing::private_to_process);
      },
      [](int i) {
        while (flags[i].word.load(std::memory_order_acquire) == 0)
          rt::kernel::futex_wait(flags[i].word, 0, rt::Deadline{}, Sharing::private_to_process);
        flags[i].word.store(0, std::memory_order_relaxed);
      });
}
double events(int count) {
  struct alignas(64) Flag {
    rt::Event event;
  };
  static Flag flags[2];
  return round_trip(
      count, [](int i) { flags[i].event.set(); },
      [](int i) {
        flags[i].event.wait();
        flags[i].event.clear();
      });
}
double semaphores(int count) {
  struct alignas(64) Flag {
    rt::Semaphore semaphore{0};
  };
  static Flag flags[2];
  return round_trip(
      count, [](int i) { flags[i].semaphore.release(); }, [](int i) { flags[i].semaphore.acquire(); });
}

} // namespace

int main() {
  using namespace std::chrono_literals;
  for (const bool same : {false, true}) {
    one_cpu = same;
    rt::set_spin_time(0ns);
    // Waking a CPU that sleeps takes a time that varies by half: many short rounds.
    bench::compare(same ? "round trip on one CPU, without spinning" : "round trip between two CPUs, without spinning",
                   "us",
                   {{"futex(2), bare", [] { return futexes(1000); }},
                    {"rt::Event", [] { return events(1000); }},
                    {"rt::Semaphore", [] { return semaphores(1000); }}},
                   51);
    rt::set_spin_time(rt::default_spin_time);
    // The runtime does not know that both tasks are bound to one CPU: it has to find out that spinning is in vain.
    bench::compare(same ? "round trip on one CPU, with spinning" : "round trip between two CPUs, with spinning", "us",
                   {{"futex(2), bare", [] { return futexes(5000); }},
                    {"rt::Event", [] { return events(one_cpu ? 20'000 : 100'000); }},
                    {"rt::Semaphore", [] { return semaphores(one_cpu ? 20'000 : 100'000); }}});
  }
}
