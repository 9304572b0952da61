#pragma once
// Clock: a vector clock, which says what of each task's past has happened before a moment (L. Lamport; F. Mattern).

#include <algorithm>
#include <array>
#include <cstdint>

namespace model {

/// Task 0 sets the scenario up and checks the outcome; the others run in between.
inline constexpr unsigned most_tasks = 6;

using Tick = std::uint32_t;

struct Clock {
  std::array<Tick, most_tasks> ticks = {};

  bool covers(unsigned task, Tick tick) const { return ticks[task] >= tick; }
  void join(const Clock& other) {
    for (unsigned i = 0; i < most_tasks; ++i) ticks[i] = std::max(ticks[i], other.ticks[i]);
  }
};

} // namespace model
