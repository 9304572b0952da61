// Queues of each kind between fibers and threads: every item is got once.

#include "mixture.hpp"

#include <atomic>

using namespace stress;

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
