#pragma once
// Barrier: a fixed number of tasks wait for each other, again and again (Python's threading.Barrier).
//
// One 64-bit word, so that all of it changes together. The lower half is what tasks wait on:
//
//   bits 0-2     state
//   bit  3       tasks wait to enter          bit 4   to be broken as soon as it is empty
//   bits 32-63   tasks inside: counted when they enter, and out again as the last thing they do
//
//   state       the tasks inside                     left by
//   filling     wait for the last one                the last to enter: to acting, or to draining if there is no action
//                                                    reset with tasks inside: to resetting.  timeout, abort: to broken
//   acting      wait; the last one runs the action   the last one: to draining.  abort: to broken
//   draining    leave                                the last to leave: to filling.  abort: to broken
//   resetting   leave with broken_barrier            the last to leave: to filling.  abort: to broken
//   broken      leave with broken_barrier            reset: to resetting, or to filling if nobody is inside
//
// Who comes while the barrier is acting, draining or resetting waits to enter; who comes to a broken one is refused.
//
// No release is missed: from `filling` a task inside is led to another state, and the barrier comes back to `filling`
// only when nobody is inside, so a task inside that has seen `filling` finds it changed, however late it looks. The
// lower half is 0 as long as the barrier fills; a task inside blocks only on that value, or on one of `acting`, and
// each step out of those wakes everybody afterwards. The one that doesn't, from `filling` to `acting`, is followed by
// one that does. No generation has to be counted for those who wait to enter either: the step to `filling` wakes them
// if bit 3 is there, and it is, or the value that they wait on has changed; one that comes too late for a whole round
// waits for the end of the next.
//
// It may be destroyed when every task has returned: the step out of the word is the last look at the object; wake
// touches only the address.
//
// Memory orders: every step acquires and releases, so what each task did before it entered is seen by the action and by
// all that are released.

#include <rt/base/panic.hpp>
#include <rt/base/result.hpp>
#include <rt/sync/barrier_action.hpp>
#include <rt/sync/wait.hpp>

#include <utility>

namespace rt {

class Barrier {
 public:
  /// For that many tasks, at least one.
  constexpr explicit Barrier(unsigned parties) : word_(0), parties_(parties) {
    if (parties == 0) panic("a Barrier needs at least one party");
  }

  /// One of the tasks calls `action` each time when all have come, before any of them goes on. The action may abort()
  /// the barrier. It is kept inside the barrier.
  template <BarrierCallable F> Barrier(unsigned parties, F&& action) : Barrier(parties) {
    action_.set(std::forward<F>(action));
  }

  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Blocks until as many tasks as there are parties wait, then releases them all. Returns a number from 0 to
  /// parties - 1, for each task another one, in the order in which they came. broken_barrier if it is broken, or is
  /// aborted or reset meanwhile.
  Result<unsigned> wait() { return wait_until(Deadline{}); }

  /// The same for a limited time. timed_out: and the barrier is broken, so that the others get broken_barrier. The
  /// action is waited for even when the time is over, as all have come then.
  template <class Rep, class Period>
  [[nodiscard]] Result<unsigned> wait_for(std::chrono::duration<Rep, Period> timeout) {
    return wait_until(Deadline::after(timeout));
  }

  /// Makes the barrier empty and whole. Who waits gets broken_barrier; who is being released is not affected.
  void reset();

  /// Breaks the barrier until reset(): all who wait and who come get broken_barrier.
  void abort();

  unsigned parties() const { return parties_; }

  /// How many wait for the others at the moment.
  unsigned n_waiting() const {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return state_of(word) <= acting ? count_of(word) : 0;
  }

  bool broken() const {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return state_of(word) == is_broken || (word & break_when_empty);
  }

 private:
  enum State : std::uint32_t { filling, acting, draining, resetting, is_broken };

  static constexpr std::uint64_t one_task = std::uint64_t{1} << 32, state_mask = 7, entrants = 8, break_when_empty = 16;
  static State state_of(std::uint64_t word) { return static_cast<State>(word & state_mask); }
  static unsigned count_of(std::uint64_t word) { return static_cast<unsigned>(word >> 32); }
  static std::uint64_t in_state(std::uint64_t word, State state) { return (word & ~state_mask) | state; }
  static std::uint64_t without_one(std::uint64_t word);

  Result<unsigned> wait_until(Deadline deadline);
  Result<std::uint64_t> enter(Deadline deadline);
  Result<unsigned> release(unsigned index);
  void leave(std::uint64_t word);
  bool step(std::uint64_t& from, std::uint64_t to) {
    return word_.compare_exchange_weak(from, to, std::memory_order_acq_rel, std::memory_order_acquire);
  }

  union {
    Atomic<std::uint64_t> word_;
    Word low_; // its lower half, for futex(2)
  };
  unsigned parties_;
  BarrierAction action_;
};

} // namespace rt
