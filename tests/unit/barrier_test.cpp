#include "sync_test.hpp"

#include <rt/sync/barrier.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/shared_barrier.hpp>

#include <functional>

using namespace sync_test;
using rt::Errc;

namespace {

/// Tasks that wait at a barrier, each once.
template <class B> class Parties {
 public:
  explicit Parties(B& barrier) : barrier_(barrier) {}

  void add() {
    results_.push_back(std::make_unique<rt::Result<unsigned>>(Errc::none));
    threads_.push_back(
        std::make_unique<Running>([&barrier = barrier_, result = results_.back().get()] { *result = barrier.wait(); }));
  }
  /// Returns when they all wait.
  void add(unsigned n) {
    for (unsigned i = 0; i < n; ++i) add();
    CHECK(becomes([&] { return barrier_.n_waiting() == n; }));
  }
  /// Whether all end with this error; none: with one of the numbers 0, 1, 2, ... each.
  void check_all(Errc error) {
    std::vector<unsigned> seen(results_.size());
    for (auto& thread : threads_) CHECK(thread->join_for(limit).ok());
    for (auto& result : results_) {
      CHECK(result->error() == error);
      if (result->ok() && result->value() < seen.size()) ++seen[result->value()];
    }
    if (error == Errc::none) CHECK(seen == std::vector<unsigned>(results_.size(), 1));
    threads_.clear();
    results_.clear();
  }

 private:
  B& barrier_;
  std::vector<std::unique_ptr<rt::Result<unsigned>>> results_;
  std::vector<std::unique_ptr<Running>> threads_;
};

} // namespace

TEST_CASE_TEMPLATE("a barrier for one holds nobody up", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(1);
  CHECK(barrier.parties() == 1);
  for (int i = 0; i < 3; ++i) {
    CHECK(barrier.wait().value() == 0);
    CHECK(barrier.wait_for(0s).value() == 0);
  }
  CHECK(barrier.n_waiting() == 0);
  CHECK(!barrier.broken());
}

TEST_CASE_TEMPLATE("a barrier releases its parties when the last one has come", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(4);
  CHECK(barrier.parties() == 4);
  for (int round = 0; round < 3; ++round) {
    Parties parties(barrier);
    parties.add(3);
    CHECK(barrier.n_waiting() == 3);
    parties.add();
    parties.check_all(Errc::none);
    CHECK(barrier.n_waiting() == 0);
    CHECK(!barrier.broken());
  }
}

TEST_CASE_TEMPLATE("a barrier's numbers tell the order in which the parties came", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(3);
  unsigned first = 9, second = 9;
  Running one([&] { first = barrier.wait().value(); });
  CHECK(becomes([&] { return barrier.n_waiting() == 1; }));
  Running two([&] { second = barrier.wait_for(limit).value(); });
  CHECK(becomes([&] { return barrier.n_waiting() == 2; }));
  CHECK(barrier.wait().value() == 2);
  one.join();
  two.join();
  CHECK(first == 0);
  CHECK(second == 1);
}

TEST_CASE_TEMPLATE("a barrier can be passed again and again", B, rt::Barrier, rt::SharedBarrier) {
  constexpr unsigned tasks = 3, rounds = 500;
  B barrier(tasks);
  std::vector<int> steps(tasks); // each written by one task, read by all between two passes
  std::atomic<unsigned> sum = 0;
  {
    std::vector<std::unique_ptr<Running>> threads;
    for (unsigned i = 0; i < tasks; ++i)
      threads.push_back(std::make_unique<Running>([&, i] {
        for (unsigned round = 1; round <= rounds; ++round) {
          ++steps[i];
          sum += barrier.wait().value();
          bool all = true;
          for (int step : steps) all = all && step == static_cast<int>(round);
          CHECK(all);
          sum += barrier.wait().value();
        }
      }));
  }
  CHECK(sum == 2 * rounds * (0 + 1 + 2));
}

TEST_CASE_TEMPLATE("the action runs once each time, before anybody goes on", B, rt::Barrier, rt::SharedBarrier) {
  int runs = 0; // without an atomic: the barrier orders it
  B barrier(3, [&] { ++runs; });
  {
    std::vector<std::unique_ptr<Running>> threads;
    for (int i = 0; i < 3; ++i)
      threads.push_back(std::make_unique<Running>([&] {
        for (int round = 1; round <= 200; round += 2) {
          CHECK(barrier.wait().ok());
          CHECK(runs == round);
          CHECK(barrier.wait().ok()); // all have looked, and the action runs again
        }
      }));
  }
  CHECK(runs == 200);
}

TEST_CASE("the action is kept in the barrier and destroyed with it") {
  const auto counted = std::make_shared<int>(0);
  {
    rt::Barrier barrier(1, [counted, unique = std::make_unique<int>(5)] { *counted += *unique; });
    CHECK(counted.use_count() == 2);
    CHECK(barrier.wait().ok());
    CHECK(barrier.wait().ok());
  }
  CHECK(*counted == 10);
  CHECK(counted.use_count() == 1);
  const std::function<void()> function = [&] { ++*counted; };
  rt::Barrier barrier(1, function);
  CHECK(barrier.wait().ok());
  CHECK(*counted == 11);
}

TEST_CASE_TEMPLATE("a party whose time is over breaks the barrier", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(4);
  Parties parties(barrier);
  parties.add(2);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(barrier.wait_for(moment).error() == Errc::timed_out);
  CHECK(std::chrono::steady_clock::now() - begin >= moment);
  CHECK(barrier.broken());
  parties.check_all(Errc::broken_barrier);
  CHECK(barrier.broken());
  CHECK(barrier.n_waiting() == 0);
  CHECK(barrier.wait().error() == Errc::broken_barrier);
  CHECK(barrier.wait_for(limit).error() == Errc::broken_barrier);
}

TEST_CASE_TEMPLATE("wait_for(0) breaks the barrier unless all the others are there", B, rt::Barrier,
                   rt::SharedBarrier) {
  B barrier(2);
  CHECK(barrier.wait_for(0s).error() == Errc::timed_out);
  CHECK(barrier.broken());
  barrier.reset();
  Parties parties(barrier);
  parties.add(1);
  CHECK(barrier.wait_for(0s).value() == 1);
  parties.check_all(Errc::none);
}

TEST_CASE_TEMPLATE("reset mends a broken barrier", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(2);
  barrier.abort();
  CHECK(barrier.broken());
  CHECK(barrier.wait().error() == Errc::broken_barrier);
  barrier.reset();
  CHECK(!barrier.broken());
  Parties parties(barrier);
  parties.add(1);
  parties.add();
  parties.check_all(Errc::none);
}

TEST_CASE_TEMPLATE("reset of a barrier where nobody waits changes nothing", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(2);
  barrier.reset();
  CHECK(!barrier.broken());
  Parties parties(barrier);
  parties.add(1);
  parties.add();
  parties.check_all(Errc::none);
}

TEST_CASE_TEMPLATE("reset sends those who wait away and lets others in", B, rt::Barrier, rt::SharedBarrier) {
  B barrier(3);
  Parties before(barrier), after(barrier);
  before.add(2);
  barrier.reset();
  CHECK(!barrier.broken());
  for (int i = 0; i < 3; ++i) after.add(); // they wait until those two are out
  before.check_all(Errc::broken_barrier);
  after.check_all(Errc::none);
  CHECK(!barrier.broken());
}

TEST_CASE_TEMPLATE("abort breaks the barrier for those who wait and those who come", B, rt::Barrier,
                   rt::SharedBarrier) {
  B barrier(3);
  Parties parties(barrier);
  parties.add(2);
  barrier.abort();
  CHECK(barrier.broken());
  parties.check_all(Errc::broken_barrier);
  CHECK(barrier.wait().error() == Errc::broken_barrier);
  CHECK(barrier.broken());
  barrier.abort();
  CHECK(barrier.broken());
  barrier.reset();
  CHECK(!barrier.broken());
}

TEST_CASE_TEMPLATE("an action that aborts the barrier keeps all from passing", B, rt::Barrier, rt::SharedBarrier) {
  B* self = nullptr;
  B barrier(3, [&] { self->abort(); });
  self = &barrier;
  Parties parties(barrier);
  parties.add(2);
  parties.add();
  parties.check_all(Errc::broken_barrier);
  CHECK(barrier.broken());
}

TEST_CASE_TEMPLATE("while the action runs, nobody else enters and no time limit counts", B, rt::Barrier,
                   rt::SharedBarrier) {
  rt::Event runs, go_on;
  B barrier(3, [&] {
    if (runs.is_set()) return;
    runs.set();
    go_on.wait();
  });
  Parties parties(barrier), late(barrier);
  parties.add(1);
  unsigned index = 9;
  Running timed([&] { index = barrier.wait_for(moment).value_or(8u); });
  CHECK(becomes([&] { return barrier.n_waiting() == 2 || barrier.broken(); }));
  if (!barrier.broken()) {
    parties.add();
    CHECK(runs.wait_for(limit).ok());
    rt::sleep_for(2 * moment);
    late.add();
    CHECK(barrier.n_waiting() == 3);
    barrier.reset(); // too late to send anybody away
    CHECK(barrier.n_waiting() == 3);
    go_on.set();
    CHECK(timed.join_for(limit).ok());
    CHECK(index == 1);
    CHECK(becomes([&] { return barrier.n_waiting() == 1; }));
    late.add();
    late.add();
    late.check_all(Errc::none);
  }
}

TEST_CASE_TEMPLATE("one who has no time to enter breaks the barrier only for those who come later", B, rt::Barrier,
                   rt::SharedBarrier) {
  rt::Event runs, go_on;
  B barrier(3, [&] {
    runs.set();
    go_on.wait();
  });
  Parties parties(barrier);
  for (int i = 0; i < 3; ++i) parties.add();
  CHECK(runs.wait_for(limit).ok());
  rt::Result<unsigned> waiting = 5u;
  Running patient([&] { waiting = barrier.wait(); });
  CHECK(patient.comes_to_rest());
  CHECK(barrier.wait_for(moment).error() == Errc::timed_out);
  CHECK(barrier.broken());
  CHECK(barrier.wait().error() == Errc::broken_barrier);
  go_on.set();
  parties.check_all(Errc::none);
  CHECK(patient.join_for(limit).ok());
  CHECK(waiting.error() == Errc::broken_barrier);
  CHECK(barrier.broken());
  barrier.reset();
  CHECK(!barrier.broken());
}

TEST_CASE_TEMPLATE("abort while the action runs breaks the barrier for all", B, rt::Barrier, rt::SharedBarrier) {
  rt::Event runs, go_on;
  B barrier(2, [&] {
    runs.set();
    go_on.wait();
  });
  Parties parties(barrier);
  for (int i = 0; i < 2; ++i) parties.add();
  CHECK(runs.wait_for(limit).ok());
  barrier.abort();
  CHECK(barrier.broken());
  go_on.set();
  parties.check_all(Errc::broken_barrier);
  CHECK(barrier.broken());
}

TEST_CASE_TEMPLATE("a barrier without parties panics", B, rt::Barrier, rt::SharedBarrier) {
  check_panics("at least one party", [] { B barrier(0); });
}

TEST_CASE("a shared barrier is passed by several processes together") {
  constexpr int rounds = 200;
  struct Meeting {
    rt::SharedBarrier barrier{3};
    int steps[3] = {};
  };
  Mapped<Meeting> meeting;
  const auto step = [&](int self) {
    for (int round = 1; round <= rounds; ++round) {
      meeting->steps[self] = round;
      if (!meeting->barrier.wait_for(limit)) return false;
      for (int each : meeting->steps)
        if (each != round) return false;
      if (!meeting->barrier.wait_for(limit)) return false;
    }
    return true;
  };
  Child first([&] { return step(0); }), second([&] { return step(1); });
  CHECK(step(2));
  CHECK(first.end().exited_with(0));
  CHECK(second.end().exited_with(0));
}

TEST_CASE("a shared barrier is broken for all processes") {
  Mapped<rt::SharedBarrier> barrier(3u);
  Child child([&] { return barrier->wait_for(limit).error() == Errc::broken_barrier && barrier->broken(); });
  CHECK(becomes([&] { return barrier->n_waiting() == 1; }));
  CHECK(barrier->wait_for(1ms).error() == Errc::timed_out);
  CHECK(child.end().exited_with(0));
}
