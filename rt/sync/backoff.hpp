#pragma once
// How the tasks that spin for a lock look away from it.

#include <rt/sync/waiter.hpp>

#include <arch/cpu.hpp>

namespace rt::backoff {

/// Between two looks at the word 1, 2, 4, ... of these pauses: while the others look away, the owner has the cache line
/// to itself and may well take the lock several times in a row, which is what makes a contended lock fast.
constexpr int first = 4, last = 64;

/// Other fibers of the thread run in the meantime, if there are any that can.
inline void look_away(int pauses) {
  if (!hub::let_others_run())
    for (int i = 0; i < pauses; ++i) arch::pause();
}

} // namespace rt::backoff
