// Lock against other mutexes: uncontended, and throughput and fairness of 2 and 4 threads on 2 CPUs.

#include "measure.hpp"

#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>

#include <absl/synchronization/mutex.h>
#include <atomic>
#include <memory>
#include <pthread.h>
#include <thread>

namespace {

struct Glibc {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  void lock() { pthread_mutex_lock(&mutex); }
  void unlock() { pthread_mutex_unlock(&mutex); }
};
struct Absl {
  absl::Mutex mutex;
  void lock() { mutex.Lock(); }
  void unlock() { mutex.Unlock(); }
};
// The limit: what a lock and an unlock cannot do without.
struct TwoExchanges {
  std::atomic<unsigned> word = 0;
  void lock() { word.exchange(1, std::memory_order_acquire); }
  void unlock() { word.exchange(0, std::memory_order_release); }
};

template <class L> double uncontended() {
  alignas(64) static L lock;
  constexpr int count = 5'000'000;
  bench::pin_to_cpu(0);
  const double begin = bench::seconds();
  for (int i = 0; i < count; ++i) {
    lock.lock();
    asm volatile("" ::: "memory");
    lock.unlock();
  }
  return (bench::seconds() - begin) / count * 1e9;
}

unsigned long work(unsigned long x, int steps) {
  for (int i = 0; i < steps; ++i) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  return x;
}

double worst_share = 1; // the least thread's part of the greatest one's, over all rounds

template <class L> double contended(int threads) {
  struct alignas(64) State {
    L lock;
    alignas(64) volatile unsigned long shared = 0;
    alignas(64) std::atomic<bool> go = false, stop = false;
  };
  const auto state = std::make_unique<State>();
  std::vector<long> counts(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      bench::pin_to_cpu(t % 2);
      unsigned long x = 88172645463325252u + static_cast<unsigned>(t);
      long done = 0;
      while (!state->go) std::this_thread::yield();
      for (; !state->stop.load(std::memory_order_relaxed); ++done) {
        state->lock.lock();
        state->shared = state->shared + 1;
        x = work(x, 4);
        state->lock.unlock();
        x = work(x, 20);
      }
      counts[static_cast<std::size_t>(t)] = done + (x == 1);
    });
  const double begin = bench::seconds();
  state->go = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  state->stop = true;
  for (auto& thread : running) thread.join();
  const double elapsed = bench::seconds() - begin;
  long sum = 0;
  for (const long count : counts) sum += count;
  worst_share = std::min(worst_share, double(*std::min_element(counts.begin(), counts.end())) /
                                          double(*std::max_element(counts.begin(), counts.end())));
  return static_cast<double>(sum) / elapsed / 1e6;
}

} // namespace

int main() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); // on in this build, and costly
  std::thread([] {}).join(); // so that glibc does not take its shortcut for programs with one thread
  bench::compare("lock and unlock, nobody else", "ns",
                 {{"two atomic exchanges", uncontended<TwoExchanges>},
                  {"rt::Lock", uncontended<rt::Lock>},
                  {"rt::RLock", uncontended<rt::RLock>},
                  {"glibc pthread_mutex", uncontended<Glibc>},
                  {"absl::Mutex", uncontended<Absl>}});
  for (const int threads : {2, 4}) {
    double rt_share = 1;
    bench::compare(threads == 2 ? "2 threads on 2 CPUs" : "4 threads on 2 CPUs", "million lock+unlock a second",
                   {{"rt::Lock",
                     [&] {
                       worst_share = 1;
                       const double rate = contended<rt::Lock>(threads);
                       rt_share = std::min(rt_share, worst_share);
                       return rate;
                     }},
                    {"glibc pthread_mutex", [&] { return contended<Glibc>(threads); }},
                    {"absl::Mutex", [&] { return contended<Absl>(threads); }}},
                   5);
    std::printf("  rt::Lock: the thread with the fewest had at least %.2f of the one with the most in 1 s\n", rt_share);
  }
}
