// Waiting for a word that several processes share.
//
// A thread sleeps in futex(2). A fiber must not, as its hub has others: it looks at the word from time to time, and its
// hub runs the others meanwhile. It begins with short pauses, since what is waited for is often near, and doubles them,
// so that a fiber that waits long costs its thread a fraction of a per cent and learns of the change some milliseconds
// late. (io_uring can wait for a futex since Linux 6.7 only, where containers allow it at all.)
//
// Both come back after longest_sleep at the latest.

#include <rt/sync/wait.hpp>

#include <algorithm>

namespace rt {
namespace {

using kernel::Sharing;
using std::chrono::nanoseconds;

constexpr nanoseconds first_pause{20'000}, last_pause{4'000'000};

// The hub lets a task that was canceled, or whose Timeout is over, rest no more. If it waits for something that it has
// to wait for all the same, its thread waits with it.
Waited look_from_time_to_time(const Word& word, std::uint32_t expected, Deadline deadline, Deadline last) {
  for (nanoseconds pause = first_pause;; pause = std::min(2 * pause, last_pause)) {
    if (word.load(std::memory_order_acquire) != expected) return Waited::changed;
    if (deadline.passed()) return Waited::timed_out;
    if (last.passed()) return Waited::woken;
    const Deadline next = std::min({deadline, last, Deadline::after(pause)});
    const Parked parked = Waiter().park(next);
    if (parked == Parked::canceled && deadline.interruptible()) return Waited::canceled;
    if (next.passed()) continue;
    if (kernel::futex_wait(word, expected, next, Sharing::between_processes) == Errc::none) return Waited::woken;
  }
}

} // namespace

Waited SharedScope::wait_on(const Word& word, std::uint32_t expected, Deadline deadline, LongWait*) {
  deadline = deadline.limited_to(current_task().limit);
  const Deadline last = Deadline::after(longest_sleep);
  if (hub::running_flow) return look_from_time_to_time(word, expected, deadline, last);
  const Errc code = kernel::futex_wait(word, expected, std::min(deadline, last), Sharing::between_processes);
  if (code == Errc::would_block) return Waited::changed;
  return code == Errc::timed_out && deadline <= last ? Waited::timed_out : Waited::woken;
}

} // namespace rt
