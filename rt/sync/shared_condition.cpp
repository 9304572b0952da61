#include <rt/sync/shared_condition.hpp>

#include <rt/base/panic.hpp>

#include <mutex>

namespace rt {

SharedCondition::Slot& SharedCondition::take_slot() {
  const std::lock_guard guard(lock_);
  for (Slot& slot : slots_) {
    if (slot.word.load(std::memory_order_acquire) != free) continue;
    slot.ticket = next_ticket_++;
    slot.word.store(waiting, std::memory_order_relaxed);
    return slot;
  }
  panic("more than {} tasks wait at a SharedCondition: use several, or an Event", most_waiters);
}

Result<void> SharedCondition::await(Slot& slot, Deadline deadline) {
  for (;;) {
    const Waited waited = SharedScope::wait_on(slot.word, waiting, deadline);
    if (slot.word.load(std::memory_order_acquire) == notified) break;
    if (!gave_up(waited)) continue;
    const std::lock_guard guard(lock_);
    if (slot.word.load(std::memory_order_acquire) == notified) break;
    slot.word.store(free, std::memory_order_release);
    return error_of(waited);
  }
  slot.word.store(free, std::memory_order_release);
  return {};
}

void SharedCondition::notify(unsigned n) {
  const std::lock_guard guard(lock_);
  for (; n > 0; --n) {
    Slot* first = nullptr;
    for (Slot& slot : slots_)
      if (slot.word.load(std::memory_order_relaxed) == waiting && (!first || slot.ticket < first->ticket))
        first = &slot;
    if (!first) return;
    first->word.store(notified, std::memory_order_release);
    SharedScope::wake(first->word, 1);
  }
}

} // namespace rt
