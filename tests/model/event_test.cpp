#include "scenario.hpp"

#include <rt/sync/event.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using model::Scenario;

namespace {

template <class E> struct Signal {
  E event;
  int letter = 0;
};

template <class E> void send(Signal<E>& signal) {
  signal.letter = 1;
  signal.event.set();
}
template <class E> void receive(Signal<E>& signal) {
  signal.event.wait();
  MUST(signal.letter == 1);
}
template <class E> void receive_in_time(Signal<E>& signal) {
  if (signal.event.wait_for(1ms)) MUST(signal.letter == 1);
}

template <class E> struct Owned { E* event = new E(); };

/// An Event that has been set as often as its count can tell: the next set makes the count 0.
template <class E> struct Worn : Signal<E> {
  Worn() { reinterpret_cast<rt::Word&>(this->event).store(0xfffffffc, std::memory_order_relaxed); }
};

template <class S> void set_and_clear_when_both_sleep(S& signal) {
  while (!model::asleep(1) || !model::asleep(2)) model::step_aside();
  signal.letter = 1;
  signal.event.set();
  signal.event.clear();
}

} // namespace

TEST_CASE_TEMPLATE("set releases who waits, who then sees what was done before", E, rt::Event, rt::SharedEvent) {
  CHECK(Scenario<Signal<E>>("one waits", {.limits = {.preemptions = 3, .together = 3}})
            .task("waiter", receive<E>)
            .task("setter", send<E>)
            .holds());
  CHECK(Scenario<Signal<E>>("two wait")
            .task("first", receive<E>)
            .task("second", receive<E>)
            .task("setter", send<E>)
            .holds());
  CHECK(Scenario<Signal<E>>("one waits for a limited time")
            .task("patient", receive<E>)
            .task("impatient", receive_in_time<E>)
            .task("setter", send<E>)
            .holds());
  CHECK(Scenario<Signal<E>>("two set", {.limits = {.preemptions = 3, .together = 3}})
            .task("waiter", [](Signal<E>& signal) { signal.event.wait(); })
            .task("first", [](Signal<E>& signal) { signal.event.set(); })
            .task("second", [](Signal<E>& signal) { signal.event.set(); })
            .finally([](Signal<E>& signal) { MUST(signal.event.is_set()); })
            .holds());
}

TEST_CASE_TEMPLATE("set followed by clear releases all who were waiting", E, rt::Event, rt::SharedEvent) {
  const auto wait = [](Signal<E>& signal) {
    signal.event.wait();
    MUST(signal.letter == 1);
  };
  CHECK(Scenario<Signal<E>>("both sleep when it is set")
            .task("first", wait)
            .task("second", wait)
            .task("setter", set_and_clear_when_both_sleep<Signal<E>>)
            .finally([](Signal<E>& signal) { MUST(!signal.event.is_set()); })
            .holds());
  CHECK(Scenario<Worn<E>>("the count wraps")
            .task("first", [](Worn<E>& signal) { receive<E>(signal); })
            .task("second", [](Worn<E>& signal) { receive<E>(signal); })
            .task("setter", set_and_clear_when_both_sleep<Worn<E>>)
            .holds());
  // A waiter that has not come to rest: it is released by a set after its beginning, or by the last one, which stays.
  CHECK(Scenario<Signal<E>>("set, cleared and set", {.limits = {.preemptions = 3, .together = 3}})
            .task("waiter", receive<E>)
            .task("setter",
                  [](Signal<E>& signal) {
                    send(signal);
                    signal.event.clear();
                    signal.event.set();
                  })
            .holds());
}

TEST_CASE_TEMPLATE("an Event may be destroyed by whom it has released", E, rt::Event, rt::SharedEvent) {
  CHECK(Scenario<Owned<E>>("destroyed after the wait", {.limits = {.preemptions = 3, .together = 3}})
            .task("waiter",
                  [](Owned<E>& owned) {
                    owned.event->wait();
                    delete owned.event;
                  })
            .task("setter", [](Owned<E>& owned) { owned.event->set(); })
            .holds());
}
