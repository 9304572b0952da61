// The model itself: it must find what is wrong.

#include "scenario.hpp"

#include <rt/base/atomic.hpp>
#include <rt/kernel/futex.hpp>
#include <rt/sync/lock.hpp>

#include <doctest/doctest.h>

using model::Scenario;
using rt::Atomic;

namespace {

struct Mailbox {
  int letter = 0;
  Atomic<std::uint32_t> flag = 0;
};

template <std::memory_order order> void send(Mailbox& box) {
  box.letter = 1;
  box.flag.store(1, order);
}
template <std::memory_order order> void receive(Mailbox& box) {
  if (box.flag.load(order) == 1) MUST(box.letter == 1);
}

struct Two {
  Atomic<std::uint32_t> x = 0, y = 0;
  std::uint32_t x_seen = 0, y_seen = 0;
};

template <std::memory_order order> void write_x_read_y(Two& two) {
  two.x.store(1, order);
  two.y_seen = two.y.load(order);
}
template <std::memory_order order> void write_y_read_x(Two& two) {
  two.y.store(1, order);
  two.x_seen = two.x.load(order);
}
void one_is_seen(Two& two) { MUST(two.x_seen == 1 || two.y_seen == 1); }

struct Sleeper {
  Atomic<std::uint32_t> word = 0;
};
void sleep_on(Sleeper& sleeper) {
  while (sleeper.word.load(std::memory_order_acquire) == 0)
    (void)rt::kernel::futex_wait(sleeper.word, 0, {}, rt::kernel::Sharing::private_to_process);
}
void change_word(Sleeper& sleeper) { sleeper.word.store(1, std::memory_order_release); }
void change_word_and_wake(Sleeper& sleeper) {
  change_word(sleeper);
  rt::kernel::futex_wake(sleeper.word, 1, rt::kernel::Sharing::private_to_process);
}

struct Held {
  Mailbox* box = new Mailbox();
  ~Held() { delete box; }
};

struct Pointed {
  Atomic<int*> place = nullptr;
};
[[gnu::noinline]] void point_to_own_frame(Pointed& pointed) {
  int local = 1;
  pointed.place.store(&local, std::memory_order_release);
}

struct Locks {
  rt::Lock a, b;
};

constexpr auto relaxed = std::memory_order_relaxed, acquire = std::memory_order_acquire,
               release = std::memory_order_release, sequential = std::memory_order_seq_cst;

} // namespace

TEST_CASE("a message is seen whole only through a release store and an acquire load") {
  CHECK(Scenario<Mailbox>("released and acquired")
            .task("sender", send<release>)
            .task("receiver", receive<acquire>)
            .holds());
  CHECK(Scenario<Mailbox>("not released")
            .task("sender", send<relaxed>)
            .task("receiver", receive<acquire>)
            .fails("data race"));
  CHECK(Scenario<Mailbox>("not acquired")
            .task("sender", send<release>)
            .task("receiver", receive<relaxed>)
            .fails("data race"));
}

TEST_CASE(
    "of two tasks that write and then look at the other's variable one may see nothing, unless in seq_cst order") {
  CHECK(Scenario<Two>("sequentially consistent")
            .task("x", write_x_read_y<sequential>)
            .task("y", write_y_read_x<sequential>)
            .finally(one_is_seen)
            .holds());
  CHECK(Scenario<Two>("relaxed")
            .task("x", write_x_read_y<relaxed>)
            .task("y", write_y_read_x<relaxed>)
            .finally(one_is_seen)
            .fails("two.x_seen == 1"));
}

TEST_CASE("values are not read backwards") {
  CHECK(Scenario<Two>("one variable, two looks")
            .task("writer",
                  [](Two& two) {
                    two.x.store(1, relaxed);
                    two.x.store(2, relaxed);
                  })
            .task("reader",
                  [](Two& two) {
                    const auto first = two.x.load(relaxed);
                    MUST(two.x.load(relaxed) >= first);
                  })
            .holds());
}

TEST_CASE("a release sequence goes on through the changes of others") {
  const auto add = [](Mailbox& box) { box.flag.fetch_add(1, relaxed); };
  const auto receive_both = [](Mailbox& box) {
    if (box.flag.load(acquire) == 2) MUST(box.letter == 1);
  };
  CHECK(Scenario<Mailbox>("released, then changed")
            .task("sender", send<release>)
            .task("changer", add)
            .task("receiver", receive_both)
            .holds());
}

TEST_CASE("a wake-up that is missing is a dead lock") {
  CHECK(Scenario<Sleeper>("woken").task("sleeper", sleep_on).task("waker", change_word_and_wake).holds());
  CHECK(Scenario<Sleeper>("not woken").task("sleeper", sleep_on).task("changer", change_word).fails("dead lock"));
}

TEST_CASE("waiting for what nobody does has no end") {
  CHECK(Scenario<Sleeper>("a loop")
            .task("looker",
                  [](Sleeper& sleeper) {
                    while (sleeper.word.load(relaxed) == 0) {
                    }
                  })
            .fails("no end"));
}

TEST_CASE("what is gone is not to be used") {
  CHECK(Scenario<Held>("freed")
            .task("owner", [](Held& held) { delete std::exchange(held.box, nullptr); })
            .task("other", [](Held& held) { send<release>(*held.box); })
            .fails("data race"));
  CHECK(Scenario<Held>("freed too early")
            .task("owner",
                  [](Held& held) {
                    if (held.box->flag.load(relaxed) == 1) {
                      delete held.box;
                      held.box = new Mailbox();
                    }
                  })
            .task("other", [](Held& held) { held.box->flag.store(1, relaxed); })
            .fails("an atomic's lifetime ends while 'other' may still use it"));
  CHECK(Scenario<Pointed>("returned")
            .task("owner", point_to_own_frame)
            .task("other",
                  [](Pointed& pointed) {
                    if (int* place = pointed.place.load(acquire)) *place = 2;
                  })
            .fails("of a function that has returned"));
}

TEST_CASE("a cycle of locks is reported by the detector") {
  CHECK(Scenario<Locks>("a and b, b and a")
            .task("first",
                  [](Locks& locks) {
                    locks.a.lock();
                    locks.b.lock();
                    locks.b.unlock();
                    locks.a.unlock();
                  })
            .task("second",
                  [](Locks& locks) {
                    locks.b.lock();
                    locks.a.lock();
                    locks.a.unlock();
                    locks.b.unlock();
                  })
            .fails("deadlock: 2 tasks wait for each other's locks"));
}
