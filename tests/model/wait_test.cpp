#include "scenario.hpp"

#include <rt/sync/spin.hpp>
#include <rt/sync/wait.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using model::Scenario;
using rt::Waited;

namespace {

template <class Scope> struct Flag {
  rt::Word word = 0;
  int letter = 0;

  void raise(unsigned count) {
    letter = 1;
    word.store(1, std::memory_order_release);
    Scope::wake(word, count);
  }
  void await() {
    while (word.load(std::memory_order_acquire) == 0) (void)Scope::wait_on(word, 0);
    MUST(letter == 1);
  }
};

template <class Scope> struct TwoFlags { Flag<Scope> first, second; };

} // namespace

TEST_CASE_TEMPLATE("who waits on a word goes on when it changes", S, rt::PrivateScope, rt::SharedScope) {
  for (const auto spin : {0us, 2us})
    CHECK(Scenario<Flag<S>>(spin == 0us ? "one waiter" : "one waiter that spins",
                            {.limits = {.preemptions = 4, .stale_reads = 2}, .spin = spin})
              .task("waiter", [](Flag<S>& flag) { flag.await(); })
              .task("waker", [](Flag<S>& flag) { flag.raise(1); })
              .holds());
  CHECK(Scenario<Flag<S>>("two waiters")
            .task("first", [](Flag<S>& flag) { flag.await(); })
            .task("second", [](Flag<S>& flag) { flag.await(); })
            .task("waker", [](Flag<S>& flag) { flag.raise(rt::everybody); })
            .holds());
  CHECK(Scenario<TwoFlags<S>>("two words")
            .task("first", [](TwoFlags<S>& flags) { flags.first.await(); })
            .task("second", [](TwoFlags<S>& flags) { flags.second.await(); })
            .task("waker",
                  [](TwoFlags<S>& flags) {
                    flags.first.raise(1);
                    flags.second.raise(1);
                  })
            .holds());
}

TEST_CASE("who spins until a word changes sees what was done before the change") {
  using State = Flag<rt::PrivateScope>;
  CHECK(Scenario<State>("one that spins", {.spin = 2us})
            .task("waiter",
                  [](State& flag) {
                    if (rt::spin_while(flag.word, 0)) MUST(flag.letter == 1);
                  })
            .task("waker", [](State& flag) { flag.raise(1); })
            .holds());
}

TEST_CASE("a waiter that says timed_out or changed has taken no wake-up") {
  using State = Flag<rt::PrivateScope>;
  CHECK(Scenario<State>("wake counts who was woken", {.limits = {.preemptions = 3, .timeouts = 2}, .spin = 1us})
            .task("waiter",
                  [](State& flag) {
                    const Waited waited = rt::PrivateScope::wait_on(flag.word, 0, rt::Deadline::after(1ms));
                    flag.letter = waited == Waited::woken;
                  })
            .task("waker",
                  [](State& flag) {
                    flag.word.store(1, std::memory_order_release);
                    flag.word.store(2 + rt::PrivateScope::wake(flag.word, 1), std::memory_order_relaxed);
                  })
            .finally([](State& flag) {
              MUST(flag.word.load(std::memory_order_relaxed) == 2 + static_cast<std::uint32_t>(flag.letter));
            })
            .holds());
  CHECK(Scenario<State>("of two the one whose time is over does not count", {.limits = {.timeouts = 2}})
            .task("impatient",
                  [](State& flag) {
                    // Who was woken passes it on: it was the only one.
                    if (rt::PrivateScope::wait_on(flag.word, 0, rt::Deadline::after(1ms)) == Waited::woken)
                      rt::PrivateScope::wake(flag.word, 1);
                  })
            .task("patient", [](State& flag) { (void)rt::PrivateScope::wait_on(flag.word, 0); })
            .task("waker",
                  [](State& flag) {
                    flag.word.store(1, std::memory_order_release);
                    rt::PrivateScope::wake(flag.word, 1);
                  })
            .holds());
}
