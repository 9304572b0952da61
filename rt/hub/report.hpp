#pragma once
// Reports on a hub's fibers.

#include <rt/base/atomic.hpp>
#include <rt/base/format.hpp>
#include <rt/base/task.hpp>

namespace rt::hub {

class Hub;

/// The process has no other thread that could wake a fiber of this one, as far as can be told: false where there is no
/// /proc to look into.
bool is_only_thread();
/// Threads that wake nobody: the watchdog's.
extern Atomic<unsigned> watchdogs;

/// For FlowOperations; see there, and rt/sync/thread_report.hpp.
void report(std::uint32_t which, const void* frames, std::uintptr_t stack_pointer);
TaskId thread_of(TaskId fiber);

/// Writes "fiber 'name' (id 4194304) of " if one runs in the calling thread.
void write_running_fiber(Output& out);

/// Nothing can ever wake the flows that wait: lists them with their stacks, and ends the program.
[[noreturn]] void report_stuck(Hub& hub);

} // namespace rt::hub
