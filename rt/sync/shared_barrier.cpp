#include <rt/sync/shared_barrier.hpp>

namespace rt {

Result<unsigned> SharedBarrier::wait_until(Deadline deadline) {
  unsigned index;
  const Result<Slot*> entered = enter(deadline, index);
  if (!entered) return entered.error();
  Slot& slot = **entered;
  return index == parties_ - 1 ? release(slot, index) : await(slot, index, deadline);
}

// A task that has no time to wait until the action is over must not take their release from those inside, but those
// that it should have met would wait in vain: for them the barrier is broken.
Result<SharedBarrier::Slot*> SharedBarrier::enter(Deadline deadline, unsigned& index) {
  for (Waited waited = Waited::changed;;) {
    std::uint32_t turn;
    {
      const std::unique_lock guard = lock();
      if (broken()) return Errc::broken_barrier;
      Slot* const slot = action_runs() ? nullptr : free_slot();
      if (slot) {
        index = n_waiting();
        slot->state.store(index == parties_ - 1 ? acting : inside, std::memory_order_relaxed);
        slot->party.take();
        return slot;
      }
      if (gave_up(waited)) {
        broken_.store(1, std::memory_order_release);
        return error_of(waited);
      }
      turn = turns_.load(std::memory_order_relaxed);
    }
    waited = SharedScope::wait_on(turns_, turn, deadline);
  }
}

Result<unsigned> SharedBarrier::release(Slot& slot, unsigned index) {
  action_();
  {
    const std::unique_lock guard = lock();
    if (slot.is(acting)) change_all(Phase::releasing);
  }
  const bool passed = slot.is(released);
  slot.party.give_back();
  return passed ? Result<unsigned>(index) : Errc::broken_barrier;
}

Result<unsigned> SharedBarrier::await(Slot& slot, unsigned index, Deadline deadline) {
  std::uint32_t turn = turns_.load(std::memory_order_acquire);
  if (slot.is(inside)) watch(turns_, turn);
  for (Waited waited = Waited::changed; slot.is(inside);) {
    bool last_word; // the action runs: all have come, and no time limit counts
    {
      const std::unique_lock guard = lock();
      if (!slot.is(inside)) break;
      last_word = action_runs();
      if (gave_up(waited) && !last_word) {
        slot.party.give_back();
        change_all(Phase::breaking);
        return error_of(waited);
      }
      turn = turns_.load(std::memory_order_relaxed);
    }
    waited = SharedScope::wait_on(turns_, turn, last_word ? Deadline::no_matter_what() : deadline);
  }
  const bool passed = slot.is(released);
  slot.party.give_back();
  return passed ? Result<unsigned>(index) : Errc::broken_barrier;
}

void SharedBarrier::reset() {
  const std::unique_lock guard = lock();
  if (action_runs())
    broken_.store(0, std::memory_order_release);
  else
    change_all(Phase::resetting);
}

void SharedBarrier::abort() {
  const std::unique_lock guard = lock();
  change_all(Phase::breaking);
}

unsigned SharedBarrier::n_waiting() const {
  unsigned count = 0;
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i) count += slots_[i].is_in();
  return count;
}

// Takes the lock, and sees to what the dead have left.
std::unique_lock<SharedLock> SharedBarrier::lock() {
  std::unique_lock guard(lock_);
  if (phase_ != Phase::none) change_all(phase_);
  bool died_inside = false;
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i) {
    Slot& slot = slots_[i];
    if (!slot.party.owner_is_dead()) continue;
    const std::uint32_t state = slot.state.load(std::memory_order_relaxed);
    if (state == inside || state == acting) died_inside = true;
  }
  if (died_inside) change_all(Phase::breaking);
  for (std::uint32_t i = 0; i < used; ++i) {
    Slot& slot = slots_[i];
    const std::uint32_t state = slot.state.load(std::memory_order_relaxed);
    if (slot.party.owner_is_dead() && (state == released || state == sent_away)) slot.party.bury();
  }
  return guard;
}

SharedBarrier::Slot* SharedBarrier::free_slot() {
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i)
    if (!slots_[i].party.has_owner() && !slots_[i].party.owner_is_dead()) return &slots_[i];
  if (used == slots) return nullptr;
  used_.store(used + 1, std::memory_order_relaxed);
  return &slots_[used];
}

bool SharedBarrier::action_runs() const {
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i)
    if (slots_[i].is(acting)) return true;
  return false;
}

// The slots of the dead are changed as well: they were part of it.
void SharedBarrier::change_all(Phase phase) {
  phase_ = phase;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  broken_.store(phase == Phase::breaking || (phase == Phase::releasing && broken()), std::memory_order_release);
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i) {
    Word& state = slots_[i].state;
    const std::uint32_t found = state.load(std::memory_order_relaxed);
    if (found == inside || found == acting)
      state.store(phase == Phase::releasing ? released : sent_away, std::memory_order_release);
  }
  turns_.fetch_add(1, std::memory_order_release);
  SharedScope::wake(turns_, everybody);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  phase_ = Phase::none;
}

} // namespace rt
