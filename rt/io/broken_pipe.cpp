#include <rt/io/broken_pipe.hpp>

#include <rt/base/atomic.hpp>
#include <rt/kernel/signal.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>

namespace rt {

static constinit Atomic<std::uint32_t> survives = 0;

// Not SIG_IGN, which programs that are executed later would inherit.
void survive_broken_pipes() {
  if (survives.load(std::memory_order_relaxed)) return;
  constexpr auto do_nothing = [](int, const siginfo_t*, const arch::SignalFrame*) {};
  constexpr auto sigpipe = static_cast<long>(kernel::Signal::sigpipe);
  constexpr long set_size = sizeof(kernel::SignalSet);
  kernel::SignalAction before;
  arch::syscall(__NR_rt_sigaction, sigpipe, 0, reinterpret_cast<long>(&before), set_size);
  const arch::SignalAction action = arch::signal_action(do_nothing, SA_RESTART | SA_ONSTACK);
  if (before.handler == kernel::SignalAction::by_default().handler)
    arch::syscall(__NR_rt_sigaction, sigpipe, reinterpret_cast<long>(&action), 0, set_size);
  survives.store(1, std::memory_order_relaxed);
}

} // namespace rt
