// Non-blocking input and output: a server that is never kept waiting, and therefore has to ask again and again.
//
// Without --port it has a client of its own.

#include "19_nonblocking.hpp"

using namespace apps;

namespace {

constexpr std::string_view name = "19_nonblocking_server";

/// Sleeps for a while, and looks for signals.
class UntilSignal final : public nonblocking::Meanwhile {
 public:
  explicit UntilSignal(rt::SignalEvents& signals) : signals_(signals) {}

 private:
  bool no_connection() override { return !signals_.wait_for(scaled(2s)); }
  bool no_data() override { return !signals_.wait_for(scaled(2s)); }

  rt::SignalEvents& signals_;
};

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv,
                  "Non-blocking I/O, the server: it polls, and is told \"not ready\" until something comes.");
  const auto port = server_port(options);
  if (const auto status = options.finish()) return *status;
  if (!port) {
    auto listener = listen(0);
    if (!listener) return fail(name, "cannot listen", listener.error());
    const auto shown = nonblocking::Demonstration().run(*listener);
    if (!shown) return fail(name, "the client failed", shown.error());
    rt::println("end");
    return 0;
  }

  auto signals = rt::SignalEvents::open(rt::SignalSet(rt::Signal::sigint, rt::Signal::sigterm));
  if (!signals) return fail(name, "cannot wait for signals", signals.error());
  auto listener = listen(*port);
  if (!listener) return fail(name, "cannot listen", listener.error());
  UntilSignal until_signal(*signals);
  nonblocking::serve(*listener, until_signal);
  rt::println("server: ends");
  return 0;
}
