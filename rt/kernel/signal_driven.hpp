#pragma once
// Signal-driven input: the kernel sends a signal when something has come.

#include <rt/base/result.hpp>
#include <rt/kernel/signal.hpp>

namespace rt::kernel {

/// Has the kernel send the signal to this process whenever the descriptor (a pipe, socket or terminal; not a file)
/// becomes ready to read or to write (fcntl(2): F_SETOWN, F_SETSIG, O_ASYNC). It tells the descriptor with it:
/// SignalInfo::descriptor.
Result<void> signal_when_ready(int descriptor, Signal signal);

} // namespace rt::kernel
