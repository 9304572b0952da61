#include "scenario.hpp"

#include <rt/sync/barrier.hpp>
#include <rt/sync/shared_barrier.hpp>

#include <doctest/doctest.h>

#include <array>

using namespace std::chrono_literals;
using model::Scenario;
using rt::Errc;

namespace {

template <class B, unsigned parties> struct Meeting {
  B barrier{parties};
  std::array<int, 3> done = {};       // by each party: read by the others after they have met
  std::array<unsigned, 3> index = {}; // what wait() returned
  std::array<Errc, 3> error = {};
};

template <class B, unsigned parties, unsigned self> void meet(Meeting<B, parties>& meeting) {
  meeting.done[self] = 1;
  meeting.index[self] = meeting.barrier.wait().value();
  for (unsigned i = 0; i < parties; ++i) MUST(meeting.done[i] == 1);
}
template <class B, unsigned parties> void indexes_differ(Meeting<B, parties>& meeting) {
  unsigned seen = 0;
  for (unsigned i = 0; i < parties; ++i) seen |= 1u << meeting.index[i];
  MUST(seen == (1u << parties) - 1);
}

template <class B, unsigned self> void meet_twice(Meeting<B, 2>& meeting) {
  for (int round = 1; round <= 2; ++round) {
    meeting.done[self] = round;
    meeting.barrier.wait().value();
    MUST(meeting.done[1 - self] == round);
    meeting.barrier.wait().value(); // the other has looked
  }
}

template <unsigned self, class M> void note_error(M& meeting, const rt::Result<unsigned>& result) {
  meeting.error[self] = result ? Errc::none : result.error().code;
}

template <class B> struct Acting {
  int calls = 0;
  B barrier{2, [this] { ++calls; }};
};

} // namespace

TEST_CASE_TEMPLATE("all go on when the last has come, and see what each did before", B, rt::Barrier,
                   rt::SharedBarrier) {
  CHECK(Scenario<Meeting<B, 2>>("two meet", {.limits = {.preemptions = 3, .together = 3}})
            .task("first", meet<B, 2, 0>)
            .task("second", meet<B, 2, 1>)
            .finally(indexes_differ<B, 2>)
            .holds());
  CHECK(Scenario<Meeting<B, 3>>("three meet")
            .task("first", meet<B, 3, 0>)
            .task("second", meet<B, 3, 1>)
            .task("third", meet<B, 3, 2>)
            .finally(indexes_differ<B, 3>)
            .holds());
  CHECK(Scenario<Meeting<B, 2>>("two meet again and again")
            .task("first", meet_twice<B, 0>)
            .task("second", meet_twice<B, 1>)
            .holds());
}

TEST_CASE_TEMPLATE("who comes while others leave belongs to the next round", B, rt::Barrier, rt::SharedBarrier) {
  const auto come = [](Meeting<B, 2>& meeting) { meeting.barrier.wait().value(); };
  CHECK(Scenario<Meeting<B, 2>>("four come to a barrier of two")
            .task("first", come)
            .task("second", come)
            .task("third", come)
            .task("fourth", come)
            .holds());
}

TEST_CASE_TEMPLATE("the action is called once, before anybody goes on", B, rt::Barrier, rt::SharedBarrier) {
  const auto come = [](Acting<B>& acting) {
    acting.barrier.wait().value();
    MUST(acting.calls == 1);
  };
  CHECK(Scenario<Acting<B>>("two meet", {.limits = {.preemptions = 3, .together = 3}})
            .task("first", come)
            .task("second", come)
            .holds());
}

TEST_CASE_TEMPLATE("who waits for too long breaks the barrier for all", B, rt::Barrier, rt::SharedBarrier) {
  CHECK(Scenario<Meeting<B, 2>>("one has a time limit", {.limits = {.preemptions = 3, .timeouts = 2, .together = 3}})
            .task("impatient", [](Meeting<B, 2>& meeting) { note_error<0>(meeting, meeting.barrier.wait_for(1ms)); })
            .task("patient", [](Meeting<B, 2>& meeting) { note_error<1>(meeting, meeting.barrier.wait()); })
            .finally([](Meeting<B, 2>& meeting) {
              const auto [first, second, _] = meeting.error;
              MUST((first == Errc::none && second == Errc::none && !meeting.barrier.broken()) ||
                   (first == Errc::timed_out && second == Errc::broken_barrier && meeting.barrier.broken()));
            })
            .holds());
  CHECK(Scenario<Meeting<B, 3>>("the third does not come", {.limits = {.preemptions = 3, .together = 3}})
            .task("impatient", [](Meeting<B, 3>& meeting) { note_error<0>(meeting, meeting.barrier.wait_for(1ms)); })
            .task("patient", [](Meeting<B, 3>& meeting) { note_error<1>(meeting, meeting.barrier.wait()); })
            .finally([](Meeting<B, 3>& meeting) {
              MUST(meeting.error[0] == Errc::timed_out && meeting.error[1] == Errc::broken_barrier);
            })
            .holds());
  CHECK(Scenario<Meeting<B, 2>>("both have", {.limits = {.preemptions = 3, .timeouts = 2, .together = 3}})
            .task("first", [](Meeting<B, 2>& meeting) { note_error<0>(meeting, meeting.barrier.wait_for(1ms)); })
            .task("second", [](Meeting<B, 2>& meeting) { note_error<1>(meeting, meeting.barrier.wait_for(1ms)); })
            .finally([](Meeting<B, 2>& meeting) {
              const auto [first, second, _] = meeting.error;
              MUST((first == Errc::none) == (second == Errc::none));
            })
            .holds());
}

TEST_CASE_TEMPLATE("abort lets nobody wait", B, rt::Barrier, rt::SharedBarrier) {
  const auto come = [](Meeting<B, 2>& meeting) { static_cast<void>(meeting.barrier.wait()); };
  CHECK(Scenario<Meeting<B, 2>>("aborted while two meet")
            .task("first", come)
            .task("second", come)
            .task("third", [](Meeting<B, 2>& meeting) { meeting.barrier.abort(); })
            .finally([](Meeting<B, 2>& meeting) { MUST(meeting.barrier.broken()); })
            .holds());
  CHECK(Scenario<Meeting<B, 2>>("aborted where only one has come")
            .task("first", [](Meeting<B, 2>& meeting) { MUST(!meeting.barrier.wait()); })
            .task("third", [](Meeting<B, 2>& meeting) { meeting.barrier.abort(); })
            .holds());
}

TEST_CASE_TEMPLATE("reset sends away who waits, and the barrier is whole", B, rt::Barrier, rt::SharedBarrier) {
  const auto come_until_met = [](Meeting<B, 2>& meeting) {
    while (!meeting.barrier.wait()) {
    }
  };
  CHECK(
      Scenario<Meeting<B, 2>>("reset while two meet")
          .task("first", come_until_met)
          .task("second", come_until_met)
          .task("third", [](Meeting<B, 2>& meeting) { meeting.barrier.reset(); })
          .finally([](Meeting<B, 2>& meeting) { MUST(!meeting.barrier.broken() && meeting.barrier.n_waiting() == 0); })
          .holds());
}
