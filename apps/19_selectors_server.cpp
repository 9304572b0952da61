// Selectors: a server that echoes in upper case to many clients on one thread, by callbacks attached to keys.
//
// Without --port five clients are threads of this program.

#include "19_selectors.hpp"

using namespace apps;

namespace {

constexpr std::string_view name = "19_selectors_server";

int serve(unsigned port) {
  auto signals = rt::SignalEvents::open(rt::SignalSet(rt::Signal::sigint, rt::Signal::sigterm));
  if (!signals) return fail(name, "cannot wait for signals", signals.error());
  auto listener = listen(port);
  if (!listener) return fail(name, "cannot listen", listener.error());
  const auto served = selectors_example::Server(*listener, &*signals).run();
  if (!served) return fail(name, "cannot select", served.error());
  rt::println("server: ends");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv, "Selectors: a server that echoes in upper case to many clients, by callbacks.");
  const auto port = server_port(options);
  if (const auto status = options.finish()) return *status;
  if (port) return serve(*port);
  if (const auto shown = selectors_example::demonstrate(5); !shown) return fail(name, "it failed", shown.error());
  rt::println("end");
  return 0;
}
