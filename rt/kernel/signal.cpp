#include <rt/kernel/signal.hpp>

#include <arch/syscall.hpp>

namespace rt::kernel {
namespace {

constexpr long set_size = sizeof(SignalSet);
constexpr int block_exactly = 2; // SIG_SETMASK

template <class T> long address(T& object) { return reinterpret_cast<long>(&object); }

} // namespace

SignalSet block_signals(SignalSet set) {
  SignalSet before;
  arch::syscall(__NR_rt_sigprocmask, block_exactly, address(set), address(before), set_size);
  return before;
}

SignalAction signal_action(Signal signal) {
  SignalAction action;
  arch::syscall(__NR_rt_sigaction, static_cast<int>(signal), 0, address(action), set_size);
  return action;
}

SignalAction set_signal_action(Signal signal, const SignalAction& action) {
  SignalAction before;
  arch::syscall(__NR_rt_sigaction, static_cast<int>(signal), address(action), address(before), set_size);
  return before;
}

Result<void> send_signal(int pid, Signal signal) {
  return Error::from_kernel(arch::syscall(__NR_kill, pid, static_cast<int>(signal)));
}

Result<Signal> wait_for_signal(SignalSet set, Deadline deadline) {
  KernelTime left{};
  if (!deadline.never()) {
    const std::int64_t nanoseconds = deadline.nanoseconds() - Clock::now().time_since_epoch().count();
    left = KernelTime::from(nanoseconds > 0 ? nanoseconds : 0);
  }
  const long result =
      arch::syscall(__NR_rt_sigtimedwait, address(set), 0, deadline.never() ? 0 : address(left), set_size);
  if (result > 0) return static_cast<Signal>(result);
  const Error error = Error::from_kernel(result);
  return error == Errc::would_block ? Error{Errc::timed_out} : error;
}

} // namespace rt::kernel
