#include <rt/sync/condition.hpp>

#include <mutex>

namespace rt {

void Condition::enlist(Waiter& waiter) {
  const std::lock_guard guard(list_lock_);
  waiters_.push_back(waiter);
}

Parked Condition::await(Waiter& waiter, Deadline deadline) {
  const Parked parked = waiter.park(deadline);
  if (parked == Parked::unparked) return parked;
  {
    const std::lock_guard guard(list_lock_);
    if (waiter.listed) {
      waiters_.remove(waiter);
      return parked;
    }
  }
  waiter.await_unpark();
  return Parked::unparked;
}

void Condition::notify(unsigned n) {
  WaiterList first;
  {
    const std::lock_guard guard(list_lock_);
    for (Waiter* waiter; n > 0 && (waiter = waiters_.front()); --n) {
      waiters_.remove(*waiter);
      first.push_back(*waiter);
      waiter->listed = false;
    }
  }
  for (Waiter *waiter = first.front(), *next; waiter; waiter = next) {
    next = waiter->next; // before unpark: the waiter may be gone after it
    waiter->unpark();
  }
}

} // namespace rt
