#include "scenario.hpp"

#include <rt/sync/queue.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using model::Effort;
using model::Scenario;
using rt::Errc;

namespace {

// The kinds of queues, each of a capacity; 0: without a limit.
template <std::size_t capacity> struct Ring : rt::Queue<int> {
  Ring() : Queue(capacity) {}
};
template <std::size_t capacity> struct Stack : rt::LifoQueue<int> {
  Stack() : LifoQueue(capacity) {}
};
struct Endless : rt::Queue<int> {
  Endless() : Queue(0) {}
};

/// A queue, and what was got out of it: item i is counted in digit i of `sum`.
template <class Q> struct Desk {
  Q queue;
  std::array<int, 3> sum = {};

  template <int item> void put() { queue.put(item).value(); }
  template <unsigned self> void get() { sum[self] += queue.get().value(); }
  int total() const { return sum[0] + sum[1] + sum[2]; }
};

template <class Q, int... item> void put(Desk<Q>& desk) { (desk.template put<item>(), ...); }
template <class Q, unsigned self, int n> void get(Desk<Q>& desk) {
  for (int i = 0; i < n; ++i) desk.template get<self>();
}
/// All items whose digits are in `items` were got, once each.
template <class Q, int items> void got(Desk<Q>& desk) {
  MUST(desk.total() == items);
  MUST(desk.queue.empty());
}

template <class Q, unsigned self> void get_in_time(Desk<Q>& desk) {
  if (const auto item = desk.queue.get_for(1ms)) desk.sum[self] += item.value_or(0);
}
template <class Q, unsigned self> void get_until_closed(Desk<Q>& desk) {
  while (const auto item = desk.queue.get()) desk.sum[self] += item.value_or(0);
}

/// Full from the beginning.
template <class Q> struct FullDesk : Desk<Q> {
  FullDesk() {
    while (this->queue.try_put(1)) {
    }
  }
};

constexpr Effort two_tasks{.limits = {.preemptions = 3, .together = 3}};

} // namespace

TEST_CASE_TEMPLATE("each item is got once, in the order in which it was put", Q, Ring<1>, Ring<2>, Stack<1>, Endless) {
  CHECK(Scenario<Desk<Q>>("three items", two_tasks)
            .task("putter", put<Q, 1, 10, 100>)
            .task("getter",
                  [](Desk<Q>& desk) {
                    const int first = desk.queue.get().value(), second = desk.queue.get().value();
                    const int third = desk.queue.get().value();
                    if constexpr (!std::is_same_v<Q, Stack<1>>) MUST(first == 1 && second == 10 && third == 100);
                    desk.sum[0] = first + second + third;
                  })
            .finally(got<Q, 111>)
            .holds());
}

TEST_CASE_TEMPLATE("nobody sleeps beside an item, or beside space", Q, Ring<1>, Ring<2>, Stack<1>, Endless) {
  CHECK(Scenario<Desk<Q>>("two put, one gets")
            .task("first putter", put<Q, 1>)
            .task("second putter", put<Q, 10>)
            .task("getter", get<Q, 0, 2>)
            .finally(got<Q, 11>)
            .holds());
  CHECK(Scenario<Desk<Q>>("one puts, two get")
            .task("first getter", get<Q, 0, 1>)
            .task("second getter", get<Q, 1, 1>)
            .task("putter", put<Q, 1, 10>)
            .finally(got<Q, 11>)
            .holds());
  CHECK(Scenario<Desk<Q>>("two put, two get", {.random = 4000})
            .task("first getter", get<Q, 0, 1>)
            .task("second getter", get<Q, 1, 1>)
            .task("first putter", put<Q, 1>)
            .task("second putter", put<Q, 10>)
            .finally(got<Q, 11>)
            .holds());
}

TEST_CASE_TEMPLATE("a wake-up for space is passed on", Q, Ring<2>, Stack<2>) {
  using State = FullDesk<Q>;
  const auto put_one = [](State& desk) { desk.queue.put(1).value(); };
  CHECK(Scenario<State>("two wait for space, two items are taken")
            .task("first putter", put_one)
            .task("second putter", put_one)
            .task("getter", [](State& desk) { get<Q, 0, 2>(desk); })
            .finally([](State& desk) { MUST(desk.queue.full()); })
            .holds());
}

TEST_CASE_TEMPLATE("who gives up takes no item and no wake-up along", Q, Ring<1>, Ring<2>, Stack<1>, Endless) {
  CHECK(Scenario<Desk<Q>>("one of two getters has a time limit", {.limits = {.timeouts = 2}, .random = 2000})
            .task("impatient", get_in_time<Q, 0>)
            .task("patient", get<Q, 1, 1>)
            .task("putter", put<Q, 1, 10>)
            .finally([](Desk<Q>& desk) {
              while (const auto item = desk.queue.try_get()) desk.sum[2] += item.value_or(0);
              MUST(desk.total() == 11);
            })
            .holds());
}

TEST_CASE_TEMPLATE("a putter that gives up takes no space along", Q, Ring<1>, Stack<1>) {
  CHECK(Scenario<Desk<Q>>("one of two putters has a time limit", {.limits = {.timeouts = 2}, .random = 2000})
            .task("impatient",
                  [](Desk<Q>& desk) {
                    if (!desk.queue.put_for(1, 1ms)) desk.sum[0] = 1;
                  })
            .task("patient", put<Q, 10, 100>)
            .task("getter", get<Q, 1, 2>)
            .finally([](Desk<Q>& desk) {
              while (const auto item = desk.queue.try_get()) desk.sum[2] += item.value_or(0);
              MUST(desk.total() == 111);
            })
            .holds());
}

TEST_CASE_TEMPLATE("try_get finds what its caller has put", Q, Ring<2>, Stack<2>, Endless) {
  CHECK(Scenario<Desk<Q>>("two put and get back at once", two_tasks)
            .task("first",
                  [](Desk<Q>& desk) {
                    MUST(desk.queue.try_put(1));
                    desk.sum[0] = desk.queue.try_get().value();
                  })
            .task("second",
                  [](Desk<Q>& desk) {
                    MUST(desk.queue.try_put(10));
                    desk.sum[1] = desk.queue.try_get().value();
                  })
            .finally(got<Q, 11>)
            .holds());
}

TEST_CASE_TEMPLATE("shutdown lets nobody wait, and leaves the items to be got", Q, Ring<1>, Ring<2>, Stack<2>,
                   Endless) {
  CHECK(Scenario<Desk<Q>>("two get until it is closed")
            .task("first getter", get_until_closed<Q, 0>)
            .task("second getter", get_until_closed<Q, 1>)
            .task("putter",
                  [](Desk<Q>& desk) {
                    put<Q, 1, 10>(desk);
                    desk.queue.shutdown();
                  })
            .finally(got<Q, 11>)
            .holds());
  if constexpr (!std::is_same_v<Q, Endless>)
    CHECK(Scenario<FullDesk<Q>>("closed while one waits for space", two_tasks)
              .task("putter", [](FullDesk<Q>& desk) { MUST(desk.queue.put(1).error() == Errc::closed); })
              .task("closer", [](FullDesk<Q>& desk) { desk.queue.shutdown(); })
              .holds());
  CHECK(Scenario<Desk<Q>>("closed while one puts and one gets")
            .task("getter", get_until_closed<Q, 0>)
            .task("putter",
                  [](Desk<Q>& desk) {
                    if (desk.queue.put(1)) desk.sum[1] += 1000;
                    if (desk.queue.put(10)) desk.sum[1] += 10000;
                  })
            .task("closer", [](Desk<Q>& desk) { desk.queue.shutdown(); })
            .finally([](Desk<Q>& desk) {
              MUST(desk.sum[1] == 1000 * desk.sum[0]);
              MUST(desk.queue.put(1).error() == Errc::closed && desk.queue.get().error() == Errc::closed);
            })
            .holds());
}

TEST_CASE_TEMPLATE("join waits until the work for each item is done", Q, Ring<1>, Ring<2>, Stack<2>, Endless) {
  CHECK(Scenario<Desk<Q>>("two items, one worker", two_tasks)
            .task("putter",
                  [](Desk<Q>& desk) {
                    put<Q, 1, 10>(desk);
                    desk.queue.join();
                    MUST(desk.sum[0] == 11);
                  })
            .task("worker",
                  [](Desk<Q>& desk) {
                    for (int i = 0; i < 2; ++i) {
                      desk.template get<0>();
                      desk.queue.task_done().value();
                    }
                  })
            .holds());
  CHECK(Scenario<Desk<Q>>("shut down at once while somebody joins", two_tasks)
            .task("putter",
                  [](Desk<Q>& desk) {
                    static_cast<void>(desk.queue.put(1));
                    desk.queue.join();
                  })
            .task("closer", [](Desk<Q>& desk) { desk.queue.shutdown(true); })
            .finally([](Desk<Q>& desk) { MUST(desk.queue.empty()); })
            .holds());
}
