#include <rt/sync/waiter.hpp>

#include <rt/kernel/futex.hpp>
#include <rt/sync/spin.hpp>

#include <algorithm>

namespace rt {
namespace {

using kernel::Sharing;

constexpr std::int64_t long_wait_nanoseconds = 100'000'000;

// A signal handler of the thread may look at it.
class ParkedThread {
 public:
  explicit ParkedThread(const Waiter& waiter) {
    std::atomic_signal_fence(std::memory_order_release);
    parked_thread = &waiter;
  }
  ~ParkedThread() {
    parked_thread = nullptr;
    std::atomic_signal_fence(std::memory_order_release);
  }
};

} // namespace

Parked Waiter::park(Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word) {
  deadline = deadline.limited_to(current_task().limit);
  return flow_ ? hub::flow_operations.load(std::memory_order_relaxed)->park(*this, deadline, long_wait, word)
               : park_thread(deadline, long_wait, word);
}

Parked Waiter::park_thread(Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word) {
  // A word that is given has been watched already. Who parks once more is `sleeping`, and was patient enough.
  if (!word && state_.load(std::memory_order_relaxed) == waiting && spin_while(state_, waiting))
    return Parked::unparked;
  std::uint32_t expected = waiting;
  state_.compare_exchange_strong(expected, sleeping, std::memory_order_acquire, std::memory_order_acquire);
  Deadline next =
      long_wait ? std::min(deadline, Deadline::after(std::chrono::nanoseconds(long_wait_nanoseconds))) : deadline;
  since = Clock::now().time_since_epoch().count();
  const ParkedThread mark(*this);
  while (state_.load(std::memory_order_acquire) != notified) {
    if (kernel::futex_wait(state_, sleeping, next, Sharing::private_to_process) != Errc::timed_out) continue;
    if (next == deadline)
      return state_.load(std::memory_order_acquire) == notified ? Parked::unparked : Parked::timed_out;
    next = deadline;
    long_wait(*word);
  }
  return Parked::unparked;
}

void Waiter::unpark() {
  if (flow_) return hub::flow_operations.load(std::memory_order_relaxed)->unpark(*flow_, *this);
  if (state_.exchange(notified, std::memory_order_acq_rel) == sleeping)
    kernel::futex_wake(state_, 1, Sharing::private_to_process);
}

} // namespace rt
