#include <rt/io/signal_events.hpp>

namespace rt {

Result<SignalEvents> SignalEvents::open(SignalSet set) {
  const SignalSet before = kernel::block_signals(SignalSet::all().without(kernel::fault_signals));
  const Result<int> descriptor = kernel::make_signal_descriptor(set);
  kernel::block_signals(descriptor ? before.with(set) : before);
  if (!descriptor) return descriptor.error();
  return SignalEvents(Fd(*descriptor), set.without(before));
}

SignalEvents::~SignalEvents() {
  if (!descriptor_) return;
  descriptor_.close();
  const SignalSet now = kernel::block_signals(SignalSet::all().without(kernel::fault_signals));
  kernel::block_signals(now.without(blocked_));
}

Result<SignalInfo> SignalEvents::wait_until(Deadline deadline) {
  for (;;) {
    const Result<SignalInfo> signal = try_wait();
    if (signal || signal.error() != Errc::would_block) return signal;
    const Result<Ready> ready = wait_until_ready(descriptor_.number(), Ready::read, deadline);
    if (!ready) return ready.error();
  }
}

} // namespace rt
