#pragma once
// Waiting for a shared word to change, with a flag beside it that saves the system call when nobody waits.
//
// Who waits raises the flag, looks at the word once more and sleeps. Who has changed the word looks at the flag, lowers
// it if it is up, and wakes. Raising and the look at the word, changing the word and the look at the flag are seq_cst,
// so one side sees the other. The flag is lowered while others may sleep still: whoever was woken raises it again, if
// it waits once more, or hands the wake-up on, if only one was woken. What a kill breaks in this is made good when a
// sleeper looks again (SharedScope::longest_sleep).

#include <rt/sync/wait.hpp>

namespace rt {

inline Waited wait_flagged(const Word& word, std::uint32_t seen, Word& flag, Deadline deadline) {
  if (watch(word, seen)) return Waited::changed;
  flag.exchange(1, std::memory_order_seq_cst);
  if (word.load(std::memory_order_seq_cst) != seen) return Waited::changed;
  return SharedScope::wait_on(word, seen, deadline);
}

/// After a seq_cst change of the word.
inline void wake_flagged(const Word& word, Word& flag, unsigned count) {
  if (!flag.load(std::memory_order_seq_cst)) [[likely]]
    return;
  flag.store(0, std::memory_order_seq_cst);
  SharedScope::wake(word, count);
}

} // namespace rt
