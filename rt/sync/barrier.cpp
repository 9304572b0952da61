#include <rt/sync/barrier.hpp>

namespace rt {

// The word after one task has left.
std::uint64_t Barrier::without_one(std::uint64_t word) {
  word -= one_task;
  if (count_of(word) > 0 || (state_of(word) != draining && state_of(word) != resetting)) return word;
  return word & break_when_empty ? is_broken : filling;
}

Result<unsigned> Barrier::wait_until(Deadline deadline) {
  const Result<std::uint64_t> entered = enter(deadline);
  if (!entered) return entered.error();
  std::uint64_t word = entered.value();
  const unsigned index = count_of(word) - 1;
  if (index == parties_ - 1) return release(index);

  if (watch(low_, static_cast<std::uint32_t>(word))) word = word_.load(std::memory_order_acquire);
  for (Waited waited = Waited::changed;;) {
    const State state = state_of(word);
    if (state > acting) {
      leave(word);
      if (state == draining) return index;
      return Errc::broken_barrier;
    }
    if (gave_up(waited) && state == filling) {
      if (!step(word, in_state(word - one_task, is_broken))) continue;
      PrivateScope::wake(low_, everybody);
      return error_of(waited);
    }
    waited = PrivateScope::wait_on(low_, static_cast<std::uint32_t>(word),
                                   state == acting ? Deadline::no_matter_what() : deadline);
    word = word_.load(std::memory_order_acquire);
  }
}

// Counts the task in; returns the word as it is then. A task that has no time to wait until the others are out must not
// take their release from them, but those that it should have met would wait in vain: for them the barrier is broken.
Result<std::uint64_t> Barrier::enter(Deadline deadline) {
  std::uint64_t word = word_.load(std::memory_order_acquire);
  for (Waited waited = Waited::changed;;) {
    const State state = state_of(word);
    if (state == is_broken || (word & break_when_empty)) return Errc::broken_barrier;
    if (state == filling) {
      std::uint64_t next = word + one_task;
      if (count_of(next) == parties_) next = in_state(next, acting);
      if (step(word, next)) return next;
    } else if (gave_up(waited)) {
      if (step(word, word | break_when_empty)) return error_of(waited);
    } else if ((word & entrants) || step(word, word | entrants)) {
      waited = PrivateScope::wait_on(low_, static_cast<std::uint32_t>(word | entrants), deadline);
      word = word_.load(std::memory_order_acquire);
    }
  }
}

Result<unsigned> Barrier::release(unsigned index) {
  action_();
  std::uint64_t word = word_.load(std::memory_order_acquire);
  while (state_of(word) == acting)
    if (step(word, without_one(in_state(word, draining)))) {
      PrivateScope::wake(low_, everybody);
      return index;
    }
  leave(word);
  return Errc::broken_barrier;
}

void Barrier::leave(std::uint64_t word) {
  while (!step(word, without_one(word))) {
  }
  // Those who wait to enter are left behind only by the last one out.
  if ((word & entrants) && count_of(word) == 1) PrivateScope::wake(low_, everybody);
}

void Barrier::reset() {
  std::uint64_t word = word_.load(std::memory_order_acquire);
  for (;;) {
    std::uint64_t next = word & ~break_when_empty;
    switch (state_of(word)) {
    case filling:
    case is_broken: next = count_of(word) > 0 ? in_state(next, resetting) : in_state(next, filling); break;
    default: break;
    }
    if (step(word, next)) break;
  }
  if (state_of(word) == filling && count_of(word) > 0) PrivateScope::wake(low_, everybody);
}

void Barrier::abort() {
  std::uint64_t word = word_.load(std::memory_order_acquire);
  while (!step(word, in_state(word & ~(entrants | break_when_empty), is_broken))) {
  }
  PrivateScope::wake(low_, everybody);
}

} // namespace rt
