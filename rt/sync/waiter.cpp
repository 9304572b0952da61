#include <rt/sync/waiter.hpp>

#include <rt/base/hook.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/kernel/futex.hpp>

#include <algorithm>
#include <arch/cpu.hpp>

namespace rt {
namespace {

using kernel::Sharing;

// Sleeping and waking across CPUs takes some 45 microseconds; spinning for a tenth of it loses little when it fails.
constexpr int default_spin_microseconds = 5;
constinit Atomic<int> most_pauses = -1; // -1: not asked yet how many CPUs there are

// Where spinning has failed lately, it is tried for a shorter time: all CPUs may be busy with other threads.
thread_local constinit int failures = 0;
constexpr int most_failures = 4;

constexpr std::int64_t long_wait_nanoseconds = 100'000'000;

} // namespace

int spin_pauses() {
  int pauses = most_pauses.load(std::memory_order_relaxed);
  if (pauses < 0) [[unlikely]] {
    pauses = cpu_count() > 1 ? default_spin_microseconds * arch::pauses_per_microsecond : 0;
    most_pauses.store(pauses, std::memory_order_relaxed);
  }
  return pauses;
}

void set_spin_time(std::chrono::nanoseconds time) {
  most_pauses.store(
      static_cast<int>(std::min<std::int64_t>(time.count(), 1'000'000) * arch::pauses_per_microsecond / 1000),
      std::memory_order_relaxed);
}

bool Waiter::spin() {
  for (int pauses = spin_pauses() >> failures; pauses > 0; --pauses) {
    if (state_.load(std::memory_order_acquire) == notified) {
      failures = std::max(failures - 1, 0);
      return true;
    }
    arch::pause();
  }
  failures = std::min(failures + 1, most_failures);
  return false;
}

Parked Waiter::park(Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word) {
  deadline = deadline.limited_to(current_task().limit);
  return flow_ ? hub::flow_operations.load(std::memory_order_relaxed)->park(*this, deadline, long_wait, word)
               : park_thread(deadline, long_wait, word);
}

Parked Waiter::park_thread(Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word) {
  if (spin()) return Parked::unparked;
  std::uint32_t expected = waiting;
  state_.compare_exchange_strong(expected, sleeping, std::memory_order_acquire, std::memory_order_acquire);
  Deadline next =
      long_wait ? std::min(deadline, Deadline::after(std::chrono::nanoseconds(long_wait_nanoseconds))) : deadline;
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
