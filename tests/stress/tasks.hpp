#pragma once
// Four threads on one primitive, with random time limits and delays, and exact counts at the end.

#include "turn.hpp"

#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <vector>

namespace stress {

inline constexpr unsigned tasks = 4;

/// Runs body(turn) in each task and joins them all; ends the program if one hangs.
template <class F> void run(F body, unsigned count = tasks) {
  std::vector<std::unique_ptr<rt::Thread>> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.push_back(std::make_unique<rt::Thread>([&body, i] {
      Turn turn(i);
      body(turn);
    }));
    threads.back()->start().value();
  }
  const auto time = limit + std::chrono::duration<double>(seconds());
  for (auto& thread : threads)
    if (!thread->join_for(time)) report_hang();
}

} // namespace stress
