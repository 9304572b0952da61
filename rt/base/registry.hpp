#pragma once
// The registry: the tasks that others may have to find by their id. A task enters it when it first has to wait for a
// lock, since only then the dead-lock detector may ask for it, and leaves it when its thread ends.

#include <rt/base/task.hpp>

namespace rt {

/// Enters the calling task; nothing happens if it is there already.
void register_current_task();

/// Takes the calling task out again.
void unregister_current_task();

/// Calls `visit` for each task with the registry locked, until it returns false.
void visit_tasks(bool (*visit)(Task& task, void* argument), void* argument);

/// Has unregister_current_task() called when the calling thread ends.
void unregister_at_thread_exit();

} // namespace rt
