#include <rt/sync/spin.hpp>

#include <rt/kernel/cpus.hpp>

#include <algorithm>
#include <arch/cpu.hpp>

namespace rt {
namespace {

constexpr std::chrono::nanoseconds longest_spin_time = std::chrono::milliseconds(1);
constinit Atomic<int> most_pauses = -1; // -1: not asked yet how many CPUs there are

int pauses_in(std::chrono::nanoseconds time) {
  return static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, longest_spin_time.count()) *
                          arch::pauses_per_microsecond / 1000);
}

int pauses_allowed() {
  int pauses = most_pauses.load(std::memory_order_relaxed);
  if (pauses < 0) [[unlikely]] {
    pauses = cpu_count() > 1 ? pauses_in(default_spin_time) : 0;
    most_pauses.store(pauses, std::memory_order_relaxed);
  }
  return pauses;
}

// Of the longest spin: what a success earns, the most that a thread has, and what a sleep without a spin saves.
constexpr int earned_part = 10, most_spins = 4, saved_part = 1000;

thread_local constinit int debt = 0;         // what is missing to the most that a thread can have
thread_local constinit bool used_up = false; // and not a whole spin saved since

} // namespace

void set_spin_time(std::chrono::nanoseconds time) { most_pauses.store(pauses_in(time), std::memory_order_relaxed); }

bool spin_while(const Atomic<std::uint32_t>& word, std::uint32_t value) {
  const int longest = pauses_allowed();
  if (longest == 0) return false;
  const int most = most_spins * longest;
  if (used_up) {
    debt -= std::max(longest / saved_part, 1);
    if (debt > most - longest) return false;
    used_up = false;
  }
  const int limit = std::min(longest, most - debt);
  for (int pauses = 0; pauses < limit; ++pauses) {
    if (word.load(std::memory_order_acquire) != value) {
      debt = std::max(debt - longest / earned_part, 0);
      return true;
    }
    arch::pause();
  }
  debt += limit;
  used_up = debt >= most;
  return false;
}

} // namespace rt
