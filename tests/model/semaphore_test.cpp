#include "scenario.hpp"

#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using model::Scenario;
using rt::Atomic;

namespace {

template <class S> struct Guarded {
  S semaphore{1};
  int value = 0;
};
template <class S> void use(Guarded<S>& guarded) {
  guarded.semaphore.acquire();
  ++guarded.value;
  static_cast<void>(guarded.semaphore.release());
}
template <class S> void use_in_time(Guarded<S>& guarded) {
  if (!guarded.semaphore.try_acquire_for(1ms)) return;
  ++guarded.value;
  static_cast<void>(guarded.semaphore.release());
}

template <class S> struct Empty {
  S semaphore{0};
  int letter = 0;
};
template <class S> void take(Empty<S>& empty) { empty.semaphore.acquire(); }

template <class S> struct Owned { S* semaphore = new S(0); };

template <class S> struct Bounded {
  S semaphore{2};
  unsigned refused[2] = {};
};

} // namespace

TEST_CASE_TEMPLATE("no more tasks go on than there are permits, and no permit is lost", S, rt::Semaphore,
                   rt::SharedSemaphore, rt::BoundedSemaphore) {
  CHECK(Scenario<Guarded<S>>("two share a permit", {.limits = {.preemptions = 3, .together = 3}})
            .task("first", use<S>)
            .task("second", use<S>)
            .finally([](Guarded<S>& guarded) { MUST(guarded.value == 2 && guarded.semaphore.value() == 1); })
            .holds());
  CHECK(Scenario<Guarded<S>>("three share a permit")
            .task("first", use<S>)
            .task("second", use<S>)
            .task("third", use<S>)
            .finally([](Guarded<S>& guarded) { MUST(guarded.value == 3 && guarded.semaphore.value() == 1); })
            .holds());
  CHECK(Scenario<Guarded<S>>("one of three has a time limit", {.limits = {.timeouts = 2}})
            .task("first", use<S>)
            .task("impatient", use_in_time<S>)
            .task("third", use<S>)
            .finally([](Guarded<S>& guarded) { MUST(guarded.value >= 2 && guarded.semaphore.value() == 1); })
            .holds());
}

TEST_CASE_TEMPLATE("release of several permits wakes as many", S, rt::Semaphore, rt::SharedSemaphore) {
  CHECK(Scenario<Empty<S>>("two at once")
            .task("first", take<S>)
            .task("second", take<S>)
            .task("giver", [](Empty<S>& empty) { empty.semaphore.release(2); })
            .finally([](Empty<S>& empty) { MUST(empty.semaphore.value() == 0); })
            .holds());
  CHECK(Scenario<Empty<S>>("one by one")
            .task("first", take<S>)
            .task("second", take<S>)
            .task("giver",
                  [](Empty<S>& empty) {
                    empty.semaphore.release();
                    empty.semaphore.release();
                  })
            .finally([](Empty<S>& empty) { MUST(empty.semaphore.value() == 0); })
            .holds());
  CHECK(Scenario<Empty<S>>("who gets a permit sees what was done before it was given")
            .task("taker",
                  [](Empty<S>& empty) {
                    empty.semaphore.acquire();
                    MUST(empty.letter == 1);
                  })
            .task("giver",
                  [](Empty<S>& empty) {
                    empty.letter = 1;
                    empty.semaphore.release();
                  })
            .holds());
}

TEST_CASE_TEMPLATE("a Semaphore may be destroyed right after the last acquire", S, rt::Semaphore, rt::SharedSemaphore) {
  CHECK(Scenario<Owned<S>>("destroyed by its only waiter", {.limits = {.preemptions = 3, .together = 3}})
            .task("taker",
                  [](Owned<S>& owned) {
                    owned.semaphore->acquire();
                    delete owned.semaphore;
                  })
            .task("giver", [](Owned<S>& owned) { owned.semaphore->release(); })
            .holds());
}

TEST_CASE_TEMPLATE("a BoundedSemaphore refuses what would be too much", S, rt::BoundedSemaphore,
                   rt::SharedBoundedSemaphore) {
  CHECK(Scenario<Bounded<S>>("two release, of whom one had acquired", {.limits = {.preemptions = 3, .together = 3}})
            .task("first",
                  [](Bounded<S>& bounded) {
                    bounded.semaphore.acquire();
                    bounded.refused[0] = !bounded.semaphore.release();
                  })
            .task("second", [](Bounded<S>& bounded) { bounded.refused[1] = !bounded.semaphore.release(); })
            .finally([](Bounded<S>& bounded) {
              MUST(bounded.refused[0] + bounded.refused[1] == 1 && bounded.semaphore.value() == 2);
            })
            .holds());
}
