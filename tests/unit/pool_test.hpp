#pragma once
// What the tests of Pool share: small tasks, and what is looked at around them.

#include "sync_test.hpp"

#include <rt/process/pool.hpp>

#include <atomic>
#include <csignal>
#include <numeric>
#include <vector>

namespace pool_test {

using namespace sync_test;
using rt::Errc, rt::Result;

/// What tasks count in all processes.
using Counter = Mapped<std::atomic<int>>;

inline int twice(int n) { return 2 * n; }
inline void sleep_long() { rt::sleep_for(limit); }
inline void die() { kill(getpid(), SIGKILL); }

inline std::vector<int> first_numbers(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

} // namespace pool_test
