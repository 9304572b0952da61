// Another program in a new process, without a copy of this one's memory: clone(2) with CLONE_VM and CLONE_VFORK. The
// child runs on a stack of its own in the parent's memory, while the calling thread of the parent stands still, until
// it has executed the program or has ended.

#include <rt/kernel/environment.hpp>
#include <rt/process/child.hpp>
#include <rt/process/native.hpp>
#include <rt/process/setup.hpp>

#include <mutex>

namespace rt::processing {
namespace {

using kernel::Signal;
using kernel::SignalAction;
using kernel::SignalSet;

struct Execution {
  const Setup& setup;
  const char* path;
  const char* const* argv;
  const char* const* environment;
  SignalSet blocked;
};

// A handler of the parent's must not run here, in its memory; execve(2) would reset it only afterwards.
void reset_handlers() {
  for (int number = 1; number <= kernel::last_signal; ++number) {
    const auto signal = static_cast<Signal>(number);
    const std::uintptr_t handler = kernel::signal_action(signal).handler;
    if (handler != SignalAction::by_default().handler && handler != SignalAction::ignore().handler)
      kernel::set_signal_action(signal, SignalAction::by_default());
  }
}

Errc become(const void* argument) {
  const auto& [setup, path, argv, environment, blocked] = *static_cast<const Execution*>(argument);
  reset_handlers();
  if (const auto done = setup.apply(true, -1); !done) return done.error().code;
  kernel::block_signals(blocked);
  return kernel::execute_in_path(path, argv, environment).code;
}

// With the lock held.
Result<void> begin(Child& child, const Execution& execution) {
  Errc failure = Errc::none;
  const auto process = native_vfork(execution.setup.clone_flags(), become, &execution, failure);
  if (!process) return process.error();
  if (failure == Errc::none) {
    child.begin_running(*process);
    return {};
  }
  (void)kernel::wait_for_described_child(*process);
  (void)kernel::close_file(process->descriptor);
  return failure;
}

} // namespace

Result<void> execute(Child& child, const char* path, const char* const* argv) {
  Child::collect_dropped();
  const char* const* environment = child.options.environment ? child.options.environment : kernel::environment();
  const SignalSet blocked = kernel::block_signals(SignalSet::all().without(kernel::fault_signals));
  const Result<void> result = [&]() -> Result<void> {
    const std::lock_guard guard(family->lock);
    Setup setup;
    if (const auto prepared = setup.prepare(child); !prepared) return prepared;
    return begin(child, {setup, path, argv, environment, blocked});
  }();
  kernel::block_signals(blocked);
  return result;
}

} // namespace rt::processing
