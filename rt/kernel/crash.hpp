#pragma once
// Crash reports: SIGSEGV, SIGBUS, SIGFPE and SIGILL say what happened, in which thread, and show the registers and a
// backtrace, before the signal kills the process as it would have done without the report.

#include <cstddef>

namespace rt::kernel {

/// Has the calling thread run its crash handler on this memory, so that it can report a stack overflow.
void use_signal_stack(void* memory, std::size_t size);

} // namespace rt::kernel
