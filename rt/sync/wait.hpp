#pragma once
// wait_on and wake: the two calls that every primitive is written with.
//
// A primitive is an algorithm over one 32-bit word. Its tasks agree through the word alone as long as they can; one
// that has to wait calls wait_on(word, expected), which blocks only if the word still has that value, and one that
// changed the word calls wake(word, n) afterwards.
//
// Scope says who shares the word:
//
//   PrivateScope   the tasks of one process. Waiters stand in a table keyed by the word's address, first come, first
//                  served. The word is read with its bucket of the table locked, and wake looks into the bucket with
//                  the same lock, after the word was changed: so either the waiter sees the change, or wake sees the
//                  waiter. wake makes a system call only for a waiter that sleeps.
//   SharedScope    all that map the memory, with futex(2) on the word itself; the kernel does the same with its table.
//                  A fiber looks at the word from time to time instead (rt/sync/shared_wait.cpp).
//
// In both a waiter that reports timed_out, canceled or changed has consumed no wake-up; one that was taken out of the
// table reports `woken`, even when its time is up too. wake touches the address only, never the word: the object may be
// gone. A waiter can be woken for somebody who had the same address before: `woken` is a hint to look again.

#include <rt/kernel/clock.hpp>
#include <rt/kernel/futex.hpp>
#include <rt/sync/spin.hpp>
#include <rt/sync/waiter.hpp>

#include <cstdint>
#include <rt/base/atomic.hpp>

namespace rt {

using Word = Atomic<std::uint32_t>;

enum class Waited : std::uint8_t { woken, changed, timed_out, canceled };

/// Whether the wait is over for good, as its time is over or the task was canceled, and what to tell the caller.
constexpr bool gave_up(Waited waited) { return waited >= Waited::timed_out; }
constexpr Errc error_of(Waited waited) { return waited == Waited::canceled ? Errc::canceled : Errc::timed_out; }

inline constexpr unsigned everybody = 0x7fffffff;

struct PrivateScope {
  static constexpr bool shared = false;
  static Waited wait_on(const Word& word, std::uint32_t expected, Deadline deadline = {},
                        LongWait* long_wait = nullptr);
  /// Wakes at most `count` waiters, those that came first; returns how many there were.
  static unsigned wake(const Word& word, unsigned count);
};

struct SharedScope {
  static constexpr bool shared = true;
  /// A wake-up is lost with the process that should have given it if that is killed. So nobody waits for longer than
  /// this at a time, and then is `woken` to look again.
  static constexpr std::chrono::milliseconds longest_sleep{100};
  static Waited wait_on(const Word& word, std::uint32_t expected, Deadline deadline = {}, LongWait* = nullptr);
  static unsigned wake(const Word& word, unsigned count) {
    return kernel::futex_wake(word, count, kernel::Sharing::between_processes);
  }
};

/// Looks for a short time whether the word changes before a wait_on for it, so that a wake-up that is near costs
/// neither side a system call or a look into the table. Only in a thread that has nothing else to do, no fibers that
/// is.
inline bool watch(const Word& word, std::uint32_t value) { return !hub::running_flow && spin_while(word, value); }

/// Calls `look` with the table's bucket of the word locked, if somebody waits on it: the word exists as long.
/// Returns whether it was called.
bool with_waiters_of(const Word& word, void (*look)(const Word& word, void* argument), void* argument);

} // namespace rt
