#include <rt/sync/shared_bounded_semaphore.hpp>

#include <rt/sync/flagged_wait.hpp>

#include <mutex>

namespace rt {

// would_block: there is no permit.
Result<void> SharedBoundedSemaphore::acquire_now() {
  const std::lock_guard guard(lock_);
  holdings_.bury_dead();
  if (holdings_.total() >= initial_) return Errc::would_block;
  holdings_.add();
  const unsigned lost = holdings_.lost();
  if (lost == 0) return {};
  holdings_.set_lost(lost - 1);
  return Errc::owner_died;
}

bool SharedBoundedSemaphore::try_acquire() { return acquire_now().error() != Errc::would_block; }

// A release after the look at the permits changes the number that was read before it.
Result<void> SharedBoundedSemaphore::acquire_until(Deadline deadline) {
  for (Waited waited = Waited::changed;;) {
    const std::uint32_t seen = releases_.load(std::memory_order_acquire);
    const Result<void> acquired = acquire_now();
    if (acquired.error() != Errc::would_block) return acquired;
    if (gave_up(waited)) return error_of(waited);
    waited = wait_flagged(releases_, seen, waiting_, deadline);
  }
}

Result<void> SharedBoundedSemaphore::release(unsigned n) {
  {
    const std::lock_guard guard(lock_);
    holdings_.bury_dead();
    if (n > holdings_.total()) return Errc::over_released;
    for (; n > 0; --n) holdings_.remove(false);
    releases_.fetch_add(1, std::memory_order_seq_cst);
  }
  wake_flagged(releases_, waiting_, everybody);
  return {};
}

unsigned SharedBoundedSemaphore::value() const {
  const unsigned taken = holdings_.total();
  return taken < initial_ ? initial_ - taken : 0;
}

} // namespace rt
