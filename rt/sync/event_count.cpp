#include <rt/sync/event_count.hpp>

#include <mutex>

namespace rt {

void unpark_all(Waiter* first) {
  for (Waiter *waiter = first, *next; waiter; waiter = next) {
    next = waiter->next; // before unpark: the waiter may be gone after it
    waiter->unpark();
  }
}

void EventCount::enter(Waiter& waiter) {
  const std::lock_guard guard(lock_);
  chain_.enter(waiter);
  armed_.exchange(chain_.armed(), std::memory_order_seq_cst);
}

bool EventCount::leave(Waiter& waiter) {
  const std::lock_guard guard(lock_);
  const bool woken = chain_.leave(waiter);
  armed_.exchange(chain_.armed(), std::memory_order_seq_cst);
  return woken;
}

Parked EventCount::park(Waiter& waiter, Deadline deadline) {
  const Parked parked = waiter.park(deadline);
  const bool woken = leave(waiter);
  if (woken && parked != Parked::unparked) waiter.await_unpark();
  return woken ? Parked::unparked : parked;
}

void EventCount::cancel(Waiter& waiter) {
  if (leave(waiter)) waiter.await_unpark();
}

void EventCount::wake_one() {
  Waiter* first;
  {
    const std::lock_guard guard(lock_);
    first = chain_.take();
    armed_.exchange(chain_.armed(), std::memory_order_seq_cst);
  }
  if (first) first->unpark();
}

void EventCount::wake_all() {
  Waiter* first;
  {
    const std::lock_guard guard(lock_);
    first = chain_.take_all();
    armed_.exchange(false, std::memory_order_seq_cst);
  }
  unpark_all(first);
}

} // namespace rt
