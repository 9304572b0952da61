#pragma once
// What the stress tests share: how long they run, and their random choices.
//
//   RT_STRESS_SECONDS   for each case; 0.3 if not said
//   RT_STRESS_SEED      of all random choices; printed by each run, so that one can be repeated

#include <rt/hub/hub.hpp>
#include <rt/sync/sleep.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

namespace stress {

using namespace std::chrono_literals;

inline constexpr auto limit = 60s; // nothing takes as long, unless a wake-up was lost

inline double seconds() {
  const char* text = std::getenv("RT_STRESS_SECONDS");
  return text ? std::atof(text) : 0.3;
}

inline unsigned seed() {
  static const unsigned chosen = [] {
    const char* text = std::getenv("RT_STRESS_SEED");
    const unsigned number = text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : std::random_device()();
    std::printf("RT_STRESS_SEED=%u\n", number);
    std::fflush(stdout);
    return number;
  }();
  return chosen;
}

/// One task's random choices, and the time at which it stops.
class Turn {
 public:
  explicit Turn(unsigned task) : task_(task), random_(seed() + task) {}

  unsigned task() const { return task_; }
  /// True at first, however long it took to come to that: each task has a round at least.
  bool goes_on() { return std::exchange(fresh_, false) || std::chrono::steady_clock::now() < end_; }
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  /// Often too short to get anything, sometimes long enough.
  std::chrono::nanoseconds timeout() { return std::chrono::nanoseconds(below(4) == 0 ? 0 : below(200'000)); }
  /// Mostly nothing; a switch to another task; a sleep.
  void delay() {
    switch (below(256)) {
    case 0: rt::sleep_for(std::chrono::nanoseconds(below(100'000))); break;
    case 1:
    case 2: rt::yield(); break;
    default: break;
    }
  }

 private:
  unsigned task_;
  std::mt19937 random_;
  bool fresh_ = true;
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds()));
};

[[noreturn]] inline void report_hang() {
  std::printf("a task hangs, RT_STRESS_SEED=%u\n", seed());
  std::fflush(stdout);
  std::abort();
}

} // namespace stress
