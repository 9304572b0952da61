#include <rt/sync/shared_condition.hpp>

#include <rt/base/panic.hpp>

#include <mutex>

namespace rt {

SharedCondition::Slot& SharedCondition::take_slot() {
  const std::lock_guard guard(lock_);
  bury_dead();
  Slot* slot = slots_;
  while (slot < slots_ + used_ && slot->waiter.has_owner()) ++slot;
  if (slot == slots_ + most_waiters)
    panic("more than {} tasks wait at a SharedCondition: use several, or a SharedEvent", most_waiters);
  if (slot == slots_ + used_) ++used_;
  slot->ticket = next_ticket_++;
  slot->word.store(waiting, std::memory_order_relaxed);
  slot->waiter.take();
  return *slot;
}

Result<void> SharedCondition::await(Slot& slot, Deadline deadline) {
  for (;;) {
    const Waited waited = SharedScope::wait_on(slot.word, waiting, deadline);
    if (slot.word.load(std::memory_order_acquire) == notified) return {};
    const std::lock_guard guard(lock_);
    bury_dead();
    if (slot.word.load(std::memory_order_acquire) == notified) return {};
    if (!gave_up(waited)) continue;
    slot.word.store(over, std::memory_order_relaxed);
    return error_of(waited);
  }
}

void SharedCondition::notify(unsigned n) {
  const std::lock_guard guard(lock_);
  bury_dead();
  unsigned waiters = 0;
  for (unsigned i = 0; i < used_; ++i) waiters += slots_[i].waits();
  for (n = n < waiters ? n : waiters; n > 0; --n) notify_first();
}

// With the lock held, as the next one: frees the slots of the dead. A notification is passed on before its slot is
// freed: it may be passed on twice, if this process is killed in between, but is not lost.
void SharedCondition::bury_dead() {
  for (unsigned i = 0; i < used_; ++i) {
    Slot& slot = slots_[i];
    if (!slot.waiter.owner_is_dead()) continue;
    if (slot.word.load(std::memory_order_relaxed) == notified) notify_first();
    slot.waiter.bury();
  }
}

void SharedCondition::notify_first() {
  Slot* first = nullptr;
  for (unsigned i = 0; i < used_; ++i)
    if (slots_[i].waits() && (!first || slots_[i].ticket < first->ticket)) first = &slots_[i];
  if (!first) return;
  first->word.store(notified, std::memory_order_release);
  SharedScope::wake(first->word, 1);
}

} // namespace rt
