// Items of 8 bytes through queues, capacity 1024, with 1 and 2 producers and as many consumers.

#include "measure.hpp"

#include <rt/sync/queue.hpp>

#include <atomic>
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace {

struct Bounded {
  rt::Queue<long> queue{1024};
  void put(long item) { (void)queue.put(item); }
  long get() { return *queue.get(); }
};
struct Unbounded {
  rt::Queue<long> queue;
  void put(long item) { (void)queue.put(item); }
  long get() { return *queue.get(); }
};
struct Moodycamel {
  moodycamel::BlockingConcurrentQueue<long> queue;
  void put(long item) { queue.enqueue(item); }
  long get() {
    long item;
    queue.wait_dequeue(item);
    return item;
  }
};
struct MutexAndCondition {
  std::mutex mutex;
  std::condition_variable not_empty, not_full;
  std::deque<long> items;
  void put(long item) {
    std::unique_lock lock(mutex);
    not_full.wait(lock, [&] { return items.size() < 1024; });
    items.push_back(item);
    lock.unlock();
    not_empty.notify_one();
  }
  long get() {
    std::unique_lock lock(mutex);
    not_empty.wait(lock, [&] { return !items.empty(); });
    const long item = items.front();
    items.pop_front();
    lock.unlock();
    not_full.notify_one();
    return item;
  }
};

template <class Queue> double transfer(int pairs) {
  constexpr long count = 500'000;
  const auto queue = std::make_unique<Queue>();
  std::atomic<long> sum = 0;
  std::vector<std::thread> threads;
  const double begin = bench::seconds();
  for (int i = 0; i < pairs; ++i) {
    threads.emplace_back([&] {
      for (long item = 0; item < count; ++item) queue->put(item);
    });
    threads.emplace_back([&] {
      long mine = 0;
      for (long item = 0; item < count; ++item) mine += queue->get();
      sum += mine;
    });
  }
  for (auto& thread : threads) thread.join();
  if (sum != pairs * (count * (count - 1) / 2)) std::puts("items were lost");
  return static_cast<double>(pairs * count) / (bench::seconds() - begin) / 1e6;
}

} // namespace

int main() {
  for (const int pairs : {1, 2})
    bench::compare(pairs == 1 ? "1 producer, 1 consumer" : "2 producers, 2 consumers", "million items a second",
                   {{"rt::Queue(1024)", [=] { return transfer<Bounded>(pairs); }},
                    {"rt::Queue, unbounded", [=] { return transfer<Unbounded>(pairs); }},
                    {"moodycamel, blocking, unbounded", [=] { return transfer<Moodycamel>(pairs); }},
                    {"std::mutex and conditions", [=] { return transfer<MutexAndCondition>(pairs); }}});
}
