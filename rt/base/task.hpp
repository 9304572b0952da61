#pragma once
// Task: what the runtime knows of one flow of control. Every thread has one, in its thread-local storage.
//
// Locks store a task's id as their owner, reports print its name, and what blocks parks on its word.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rt {

/// Identifies a task: the kernel's thread id (POSIX gettid(2)) for a thread. Never 0.
using TaskId = std::uint32_t;

struct Task {
  static constexpr std::size_t name_capacity = 32;

  TaskId id = 0;                                                 // 0: not adopted yet
  char name[name_capacity] = {};                                 // NUL-terminated
  std::uintptr_t stack_begin = 0;                                // lowest usable address; 0: the main thread's stack
  std::size_t stack_size = 0;                                    // bytes from there
  std::atomic<std::uint32_t> park_word = 0;                      // see rt/sync/wait.cpp
  std::atomic<const std::atomic<std::uint32_t>*> lock = nullptr; // the lock it waits for without a time limit
  Task* next = nullptr;                                          // in the registry
  Task* previous = nullptr;

  std::string_view name_view() const { return name; }
};

/// The calling thread's Task, adopted or not; safe in signal handlers.
extern thread_local constinit Task this_thread_task;

/// The calling task's id without the check for a thread that the runtime has not seen yet: 0 for such a one.
inline thread_local constinit TaskId current_task_id = 0;

/// Makes a thread that the runtime did not start (the main thread; any in a hosted program) known to it.
TaskId adopt_current_thread();

/// The calling task.
inline Task& current_task() {
  if (current_task_id == 0) [[unlikely]]
    adopt_current_thread();
  return this_thread_task;
}

/// Sets a task's name, cut at a character when it is longer than name_capacity - 1 bytes.
void set_task_name(Task& task, std::string_view name);

/// The registry: all adopted tasks. `visit` is called for each with the registry locked, until it returns false.
void register_task(Task& task);
void unregister_task(Task& task);
void visit_tasks(bool (*visit)(Task& task, void* argument), void* argument);

/// Has the thread leave the registry when it ends; where the runtime did not start it (task_hosted.cpp).
void unregister_at_thread_exit();

} // namespace rt
