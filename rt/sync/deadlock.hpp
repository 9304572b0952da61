#pragma once
// The dead-lock detector: tasks that wait for each other's locks in a cycle would wait for ever.
//
// A lock's word names its owner, and a task that waits for a Lock without a time limit names the lock. A task that has
// been parked for a tenth of a second follows owner -> lock that it waits for -> owner; if that leads back to the task
// itself, it has found a cycle. Locks cost nothing for it, nor do waits that end sooner. Every member of a cycle looks
// once, after it has begun to wait, so the last one to do so sees the whole cycle. A chain is read twice: a
// cycle stays, while what looked like one because locks changed hands meanwhile does not look the same again.

#include <rt/base/task.hpp>
#include <rt/sync/wait.hpp>

#include <span>

namespace rt {

/// One edge of a cycle: the task waits for the lock, whose owner is the next member's task (the first one's after the
/// last).
struct DeadlockMember {
  TaskId task;
  TaskName name;
  const void* waits_for;
};

/// Called by the task that found the cycle, once for the cycle; it goes on waiting if this returns. Must not wait for
/// those locks.
using DeadlockHandler = void(std::span<const DeadlockMember> cycle);

/// Replaces what is done about a dead lock; nullptr: the default, which prints the cycle and aborts.
void on_deadlock(DeadlockHandler* handler);

/// For the locks: a task has waited long for the lock with this word.
[[gnu::visibility("hidden")]] void report_cycle(const Word& word);
/// For the locks: the calling task waits for a lock that it holds.
void report_relock(const Word& word);

} // namespace rt
