#pragma once
// Signals as events: waiting for one blocks the thread, or only the fiber when called in one, and a selector can wait
// for one among other things.
//
//   auto signals = rt::SignalEvents::open({Signal::sighup}).value();
//   for (;;) reload(signals.wait().value());
//
// And the end of a server: run_until_signal.

#include <rt/hub/fiber.hpp>
#include <rt/io/fd.hpp>
#include <rt/kernel/signal_descriptor.hpp>

#include <optional>

namespace rt {

using kernel::Signal;
using kernel::SignalInfo;
using kernel::SignalSet;

/// Takes the signals of a set, which have no other effect as long as it exists.
///
/// They are blocked in the calling thread, and in those that it starts from now on. Threads that run already would
/// still be interrupted by them: to be made before these. To be destroyed by the thread that made it; a signal that
/// nobody has taken by then has its usual effect.
class SignalEvents {
 public:
  /// too_many_files_open.
  [[nodiscard]] static Result<SignalEvents> open(SignalSet set);
  SignalEvents(SignalEvents&&) noexcept = default;
  SignalEvents& operator=(SignalEvents&&) = delete;
  ~SignalEvents();

  /// Takes the next signal, waiting for it. canceled; timed_out by a Timeout.
  [[nodiscard]] Result<SignalInfo> wait() { return wait_until(Deadline{}); }
  /// The same for a limited time. timed_out.
  template <class Rep, class Period>
  [[nodiscard]] Result<SignalInfo> wait_for(std::chrono::duration<Rep, Period> timeout) {
    return wait_until(Deadline::after(timeout));
  }
  /// Takes a signal that is pending. would_block: there is none.
  [[nodiscard]] Result<SignalInfo> try_wait() { return kernel::read_signal(descriptor_.number()); }

  /// A descriptor that is ready to read when a signal is pending, for selectors.
  int number() const { return descriptor_.number(); }

 private:
  SignalEvents(Fd descriptor, SignalSet blocked) : descriptor_(std::move(descriptor)), blocked_(blocked) {}
  Result<SignalInfo> wait_until(Deadline deadline);

  Fd descriptor_;
  SignalSet blocked_; // by this object: they were not before
};

/// Calls serve() in a fiber of its own until it returns, and cancels the fiber at SIGINT or SIGTERM: accept, say, then
/// fails with canceled, and serve can finish what it has begun (which a Group of fibers waits for, for example) and
/// return. A second signal meanwhile has its usual effect: it ends the process. Returns the signal, if there was one.
template <class F> [[nodiscard]] Result<std::optional<Signal>> run_until_signal(F serve) {
  std::optional<Signal> received;
  auto signals = SignalEvents::open(SignalSet(Signal::sigint, Signal::sigterm));
  if (!signals) return signals.error();
  std::optional<SignalEvents> open(std::move(*signals));
  auto server = try_spawn(FiberOptions{.name = "server"}, std::move(serve));
  if (!server) return server.error();
  auto watcher = try_spawn(FiberOptions{.name = "signals"}, [&] {
    const auto signal = open->wait();
    if (!signal) return;
    received = signal->signal;
    open.reset();
    server->cancel();
  });
  if (!watcher) server->cancel();
  server->join();
  if (!watcher) return watcher.error();
  watcher->cancel();
  watcher->join();
  return received;
}

} // namespace rt
