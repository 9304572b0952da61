#include <rt/sync/semaphore.hpp>

namespace rt {

template <class Scope> Result<void> BasicSemaphore<Scope>::acquire_contended(Deadline deadline) {
  if (watch(permits_, 0) && try_acquire()) return {};
  std::uint64_t word = word_.fetch_add(one_waiter, std::memory_order_relaxed) + one_waiter;
  for (Waited waited = Waited::changed;;) {
    while (permits(word) > 0)
      if (word_.compare_exchange_weak(word, word - one_waiter - 1, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return {};
    if (gave_up(waited)) {
      word_.fetch_sub(one_waiter, std::memory_order_relaxed);
      return error_of(waited);
    }
    waited = Scope::wait_on(permits_, 0, deadline);
    word = word_.load(std::memory_order_relaxed);
  }
}

template class BasicSemaphore<PrivateScope>;
template class BasicSemaphore<SharedScope>;

} // namespace rt
