// Non-blocking input and output: a client that takes its time before it says something.
//
// Without --port the server is a thread of this program.

#include "19_nonblocking.hpp"

using namespace apps;

namespace {

constexpr std::string_view name = "19_nonblocking_client";

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv, "Non-blocking I/O, the client: it connects, waits a second, and says something.");
  const auto port = client_port(options);
  const auto text = options.text("--text", "TEXT", "what to send: \"hello\" if not given");
  if (const auto status = options.finish()) return *status;
  if (!port) {
    auto listener = listen(0);
    if (!listener) return fail(name, "cannot listen", listener.error());
    const auto shown = nonblocking::Demonstration().run(*listener);
    if (!shown) return fail(name, "cannot reach the server", shown.error());
    rt::println("end");
    return 0;
  }

  occupy_standard_files();
  const auto said = nonblocking::say(loopback(*port), text.value_or("hello"), [] { pause(1s); });
  return said ? 0 : fail(name, "cannot reach the server", said.error());
}
