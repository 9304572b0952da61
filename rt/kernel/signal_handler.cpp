#include <rt/kernel/signal_handler.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>

#include <atomic>
#include <signal.h>

namespace rt::kernel {
namespace {

constinit std::atomic<void (*)(Signal)> handlers[last_signal + 1] = {};

void call_handler(int signal, const siginfo_t*, const arch::SignalFrame*) {
  handlers[signal].load(std::memory_order_relaxed)(static_cast<Signal>(signal));
}

} // namespace

Result<SignalAction> handle_signal(Signal signal, void (*handler)(Signal signal)) {
  const int number = static_cast<int>(signal);
  if (number < 1 || number > last_signal) return Errc::invalid_argument;
  handlers[number].store(handler, std::memory_order_relaxed);
  const arch::SignalAction action = arch::signal_action(call_handler, SA_SIGINFO | SA_ONSTACK | SA_RESTART);
  SignalAction before;
  const long result = arch::syscall(__NR_rt_sigaction, number, reinterpret_cast<long>(&action),
                                    reinterpret_cast<long>(&before), sizeof(SignalSet));
  if (result < 0) return Error::from_kernel(result);
  return before;
}

} // namespace rt::kernel
