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

// Of the longest spin: what a success earns, the most credit that there can be, and what a sleep without a spin saves.
constexpr int earned_part = 10, most_spins = 4, saved_part = 1000;

thread_local constinit SpinCredit credit;

} // namespace

void set_spin_time(std::chrono::nanoseconds time) { most_pauses.store(pauses_in(time), std::memory_order_relaxed); }

int SpinCredit::take() {
  const int longest = pauses_allowed();
  if (longest == 0) return 0;
  const int most = most_spins * longest;
  if (used_up_) {
    debt_ -= std::max(longest / saved_part, 1);
    if (debt_ > most - longest) return 0;
    used_up_ = false;
  }
  return std::min(longest, most - debt_);
}

void SpinCredit::succeed() { debt_ = std::max(debt_ - pauses_allowed() / earned_part, 0); }

void SpinCredit::fail(int pauses) {
  debt_ += pauses;
  used_up_ = debt_ >= most_spins * pauses_allowed();
}

bool spin_while(const Atomic<std::uint32_t>& word, std::uint32_t value) {
  const int limit = credit.take();
  if (limit == 0) return false;
  for (int pauses = 0; pauses < limit; ++pauses) {
    if (word.load(std::memory_order_acquire) != value) {
      credit.succeed();
      return true;
    }
    arch::pause();
  }
  credit.fail(limit);
  return false;
}

} // namespace rt
