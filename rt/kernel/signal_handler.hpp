#pragma once
// Handlers of signals. What a handler may do is little (signal-safety(7)): set an atomic flag, write to a pipe.

#include <rt/base/result.hpp>
#include <rt/kernel/signal.hpp>

namespace rt::kernel {

/// Has the function called whenever the signal comes and is not blocked, on the thread's signal stack if it has one.
/// System calls that it interrupts are taken up again where the kernel can (SA_RESTART). Returns the action before, to
/// be put back by set_signal_action. invalid_argument: SIGKILL, SIGSTOP.
Result<SignalAction> handle_signal(Signal signal, void (*handler)(Signal signal));

} // namespace rt::kernel
