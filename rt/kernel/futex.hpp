#pragma once
// futex(2), typed.

#include <rt/base/error.hpp>
#include <rt/kernel/clock.hpp>

#include <arch/syscall.hpp>
#include <cstdint>
#include <linux/futex.h>
#include <rt/base/atomic.hpp>

namespace rt::kernel {

/// Who may wait on the word: threads of this process, or of every process that maps its memory.
enum class Sharing : int { private_to_process = FUTEX_PRIVATE_FLAG, between_processes = 0 };

/// Sleeps while the word has the expected value, until a wake-up or the deadline (CLOCK_MONOTONIC).
/// Errc::none: woken. would_block: the word has another value. timed_out; interrupted by a signal.
inline Errc futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline, Sharing sharing) {
  const KernelTime until = KernelTime::from(deadline.nanoseconds());
  // FUTEX_WAIT_BITSET takes an absolute time, FUTEX_WAIT a relative one, which a restart would prolong.
  const long result = arch::syscall(__NR_futex, reinterpret_cast<long>(&word),
                                    FUTEX_WAIT_BITSET | static_cast<int>(sharing), static_cast<long>(expected),
                                    deadline.never() ? 0 : reinterpret_cast<long>(&until), 0, FUTEX_BITSET_MATCH_ANY);
  return static_cast<Errc>(-result);
}

/// Wakes at most `count` sleepers and returns how many. The word itself is not read: it may be gone.
inline unsigned futex_wake(const Atomic<std::uint32_t>& word, unsigned count, Sharing sharing) {
  constexpr unsigned most = 0x7fffffff;
  const long result = arch::syscall(__NR_futex, reinterpret_cast<long>(&word), FUTEX_WAKE | static_cast<int>(sharing),
                                    static_cast<long>(count < most ? count : most), 0);
  return result < 0 ? 0 : static_cast<unsigned>(result);
}

} // namespace rt::kernel
