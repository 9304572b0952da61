// Multiplexing by select: one thread serves several clients, and answers them from its standard input.
//
// Without --port three clients are threads of this program, and the answers come from a pipe.

#include "19_select.hpp"

using namespace apps;

namespace {

constexpr std::string_view name = "19_select_server";

int serve(unsigned port) {
  auto signals = rt::SignalEvents::open(rt::SignalSet(rt::Signal::sigint, rt::Signal::sigterm));
  if (!signals) return fail(name, "cannot wait for signals", signals.error());
  auto listener = listen(port);
  if (!listener) return fail(name, "cannot listen", listener.error());
  const auto served = select_example::Server(*listener, rt::Fd(0), &*signals).run();
  if (!served) return fail(name, "cannot select", served.error());
  rt::println("server: ends");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv, "Multiplexing by select: several clients on one thread, answered from standard input.");
  const auto port = server_port(options);
  if (const auto status = options.finish()) return *status;
  if (port) return serve(*port);
  if (const auto shown = select_example::demonstrate(3); !shown) return fail(name, "it failed", shown.error());
  rt::println("end");
  return 0;
}
