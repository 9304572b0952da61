// The simulated kernel: the system calls that the sources under test make. The order of tasks is the order in which
// they ask; the word of a futex is read and the task put to sleep in one step, as the kernel's hash bucket lock has it.
// A futex call makes nothing visible by itself here, so that the sources' own memory orders are what is tested.

#include "machine.hpp"
#include "memory.hpp"
#include "report.hpp"

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <asm/errno.h>
#include <linux/futex.h>
#include <linux/time_types.h>
#include <string>

namespace model {
namespace {

constexpr long first_thread_id = 101;

std::int64_t nanoseconds(long address) {
  const auto& time = *reinterpret_cast<const __kernel_timespec*>(address);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

const char* name_of(long result) {
  switch (result) {
  case 0: return "wakes up: woken";
  case -EAGAIN: return "does not sleep: the word has changed";
  case -ETIMEDOUT: return "wakes up: time limit";
  default: return "wakes up: interrupted";
  }
}

long wait(const void* word, std::uint32_t expected, bool shared, std::int64_t deadline) {
  if (atomic_is_gone(word)) fail("a futex is waited on after the end of its word's lifetime");
  long result;
  if (*static_cast<const std::uint32_t*>(word) != expected) {
    result = -EAGAIN;
  } else if (deadline <= now()) {
    result = -ETIMEDOUT;
  } else {
    note("sleeps while it is", self().index, word, expected);
    const Wakeup how = fall_asleep({word, shared, deadline});
    result = how == Wakeup::woken ? 0 : how == Wakeup::timed_out ? -ETIMEDOUT : -EINTR;
  }
  note(name_of(result), self().index, word);
  return result;
}

long futex(long address, long operation, long value, long timeout) {
  const auto* word = reinterpret_cast<const void*>(address);
  const bool shared = !(operation & FUTEX_PRIVATE_FLAG);
  point();
  switch (operation & FUTEX_CMD_MASK) {
  case FUTEX_WAIT:
    if (timeout) fail("the simulated kernel has no FUTEX_WAIT with a relative time: use FUTEX_WAIT_BITSET");
    return wait(word, static_cast<std::uint32_t>(value), shared, no_deadline);
  case FUTEX_WAIT_BITSET:
    return wait(word, static_cast<std::uint32_t>(value), shared, timeout ? nanoseconds(timeout) : no_deadline);
  case FUTEX_WAKE: {
    const unsigned woken = wake_sleepers(word, shared, static_cast<unsigned>(value));
    note("wakes", self().index, word, woken);
    return woken;
  }
  default: fail("the simulated kernel does not know futex operation " + std::to_string(operation));
  }
}

} // namespace

long syscall(long number, long a, long b, long c, long d, long, long) {
  const Inside inside;
  switch (number) {
  case __NR_futex: return futex(a, b, c, d);
  case __NR_gettid: return first_thread_id + self().index;
  case __NR_getpid: return 1;
  case __NR_sched_yield: return pause(), 0;
  case __NR_clock_gettime: {
    auto& time = *reinterpret_cast<__kernel_timespec*>(b);
    time.tv_sec = now() / 1'000'000'000;
    time.tv_nsec = now() % 1'000'000'000;
    return 0;
  }
  case __NR_clock_nanosleep:
    point();
    if (nanoseconds(c) > now()) fall_asleep({nullptr, false, nanoseconds(c)});
    return 0;
  case __NR_sched_getaffinity:
    *reinterpret_cast<unsigned long*>(c) = 3; // two CPUs
    return sizeof(unsigned long);
  default: fail("the simulated kernel does not know system call " + std::to_string(number));
  }
}

} // namespace model
