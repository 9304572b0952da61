#pragma once
// The simulated memory. Atomics (memory.cpp) have the history of their values; plain data (shadow.cpp) is watched for
// accesses that nothing orders, and for use of what is gone. One arena holds the tasks' stacks and their heap, at an
// address that is always the same, so that executions can be repeated.

#include <cstddef>
#include <cstdint>

namespace model {

void begin_memory();
/// Restores the variables of static storage.
void end_memory();

struct Stack {
  char* begin;
  std::size_t size;
};
Stack stack_of(unsigned task);

/// The lifetime of the atomics in this memory ends: by the running task, and after all uses.
void end_atomics(std::uintptr_t begin, std::uintptr_t end);
/// The same for those on a flow's stack below an address: functions have returned.
void end_atomics_on_stack(unsigned flow, std::uintptr_t end);

/// Whether an atomic whose lifetime has ended is at the address.
bool atomic_is_gone(const void* address);

bool on_stack_of(unsigned task, std::uintptr_t address);

/// What has a stack: each task, by its index, and after these the fibers that tasks have made (rt/context).
unsigned running_flow();
/// Whether a function that has not returned has the address in its frame, on the stack that the running task uses.
bool on_own_stack(std::uintptr_t address);

/// What begin_memory does for plain data.
void begin_shadow();

} // namespace model
