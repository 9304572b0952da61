#pragma once
// Event: a flag that any number of tasks wait for (Python's threading.Event).
//
// One 32-bit word:  bit 0: set   bit 1: somebody may be waiting   bits 2-31: how often it was set (modulo 2^30)
//
//   set     !set -> set, one more in the count, no waiters bit; wakes everybody if the bit was there
//   clear   set -> !set
//   wait    returns when it sees the flag set, or another count than at its beginning: so a set() that is followed by
//           clear() at once still releases all who were waiting, even those that had not come to rest yet. Otherwise it
//           adds the waiters bit and waits while the word stays as it is.
//
// No wake-up is lost: a waiter blocks only on a word with the waiters bit and without the set bit; the next change of
// such a word (but for other waiters, who change nothing more) is set(), which sees the bit. A waiter would miss 2^30
// sets exactly, and only if it was not parked at any of them.
//
// Memory orders: set() releases, a wait() that returns acquires: what was done before set() is seen after wait().

#include <rt/base/result.hpp>
#include <rt/sync/wait.hpp>

namespace rt {

template <class Scope> class BasicEvent {
 public:
  constexpr BasicEvent() = default;
  BasicEvent(const BasicEvent&) = delete;
  BasicEvent& operator=(const BasicEvent&) = delete;

  /// Sets the flag and releases all who wait. Nothing happens if it is set already.
  void set() {
    std::uint32_t word = word_.load(std::memory_order_relaxed);
    do {
      // An exchange even where nothing changes, so that whoever sees the flag sees what this task did before.
    } while (!word_.compare_exchange_weak(word, word & is_set_bit ? word : ((word + one_set) | is_set_bit) & ~waiters,
                                          std::memory_order_release, std::memory_order_relaxed));
    if (word & waiters) Scope::wake(word_, everybody);
  }

  /// Clears the flag: from now on wait() blocks.
  void clear() { word_.fetch_and(~is_set_bit, std::memory_order_acq_rel); }

  bool is_set() const { return word_.load(std::memory_order_acquire) & is_set_bit; }

  /// Blocks until the flag is set; returns at once if it is.
  void wait() {
    if (!is_set()) wait_until(Deadline::no_matter_what());
  }

  /// The same for a limited time. timed_out.
  template <class Rep, class Period> [[nodiscard]] Result<void> wait_for(std::chrono::duration<Rep, Period> timeout) {
    return is_set() ? Result<void>{} : wait_until(Deadline::after(timeout));
  }

 private:
  static constexpr std::uint32_t is_set_bit = 1, waiters = 2, one_set = 4;

  Result<void> wait_until(Deadline deadline);

  Word word_ = 0;
};

extern template class BasicEvent<PrivateScope>;
extern template class BasicEvent<SharedScope>;

using Event = BasicEvent<PrivateScope>;
using SharedEvent = BasicEvent<SharedScope>;

} // namespace rt
