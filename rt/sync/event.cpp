#include <rt/sync/event.hpp>

namespace rt {

template <class Scope> Result<void> BasicEvent<Scope>::wait_until(Deadline deadline) {
  std::uint32_t word = word_.load(std::memory_order_acquire);
  const std::uint32_t sets = word / one_set;
  if (watch(word_, word)) word = word_.load(std::memory_order_acquire);
  for (Waited waited = Waited::changed;;) {
    if ((word & is_set_bit) || word / one_set != sets) return {};
    if (gave_up(waited)) return error_of(waited);
    if (!(word & waiters) && !word_.compare_exchange_weak(word, word | waiters, std::memory_order_acquire)) continue;
    waited = Scope::wait_on(word_, word | waiters, deadline);
    word = word_.load(std::memory_order_acquire);
  }
}

template class BasicEvent<PrivateScope>;
template class BasicEvent<SharedScope>;

} // namespace rt
