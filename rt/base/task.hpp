#pragma once
// Task: what the runtime knows of one flow of control that blocks by itself: a thread, which has its Task in its
// thread-local storage, or a fiber.
//
// Locks store a task's id as their owner, reports print its name, and what blocks parks on its word.

#include <rt/base/atomic.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rt {

namespace threading {
struct ThreadBlock;
}

/// Identifies a task: the kernel's thread id (POSIX gettid(2)) for a thread; a number above all of these for a fiber.
/// Never 0, and less than 2^30.
using TaskId = std::uint32_t;

/// The least id of a fiber: the kernel's PID_MAX_LIMIT.
inline constexpr TaskId first_fiber_id = 1 << 22;

/// A name of at most 31 bytes, NUL-terminated. The kernel shows the first 15 of a thread's.
using TaskName = std::array<char, 32>;

struct Task {
  TaskId id = 0; ///< 0: not adopted yet
  TaskName name = {};
  /// Of a thread that the runtime started; the main thread and fibers have none.
  threading::ThreadBlock* block = nullptr;
  std::size_t stack_size = 0; ///< of a fiber, in bytes
  /// When its waits have to end, by Timeout (rt/hub/timeout.hpp), on Clock; 0: no such time. (A Task is all zeros in
  /// the beginning, so that those of threads take no space in the program's file.)
  std::int64_t limit = 0;
  /// Its waits fail from now on, unless nobody could be told: see Deadline::no_matter_what().
  Atomic<bool> canceled = false;
  /// The word of the lock that it waits for without a time limit.
  Atomic<const Atomic<std::uint32_t>*> lock = nullptr;
  /// How often it has waited for one (modulo 2^32).
  Atomic<std::uint32_t> lock_waits = 0;
  // Its current greenlet (rt/context/greenlet.cpp), and how to end them with the task; nullptr: it has none.
  void* greenlets = nullptr;
  void (*end_greenlets)(Task& task) = nullptr;
  // In the registry.
  Task* next = nullptr;
  Task* previous = nullptr;
  bool registered = false;
};

/// The calling thread's own Task, adopted or not.
extern thread_local constinit Task this_thread_task;

/// What runs in the calling thread at the moment; nullptr: the thread itself, if it has not asked yet.
inline thread_local constinit Task* running_task = nullptr;

/// The calling task's id without the check for a thread that the runtime has not seen yet: 0 for such a one.
inline thread_local constinit TaskId current_task_id = 0;

/// Makes a thread that the runtime did not start (the main thread; any in a hosted program) known to it.
TaskId adopt_current_thread();

/// The calling task.
inline Task& current_task() {
  if (!running_task) [[unlikely]]
    adopt_current_thread();
  return *running_task;
}

/// The same without adopting a thread: for signal handlers.
inline Task& current_task_as_it_is() { return running_task ? *running_task : this_thread_task; }

/// The text as a name, cut at a character when it is too long.
TaskName task_name(std::string_view text);

} // namespace rt
