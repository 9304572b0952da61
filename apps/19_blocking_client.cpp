// Blocking input and output: a client that sends something and waits for the answer.
//
// Without --port the server is a thread of this program.

#include "19_blocking.hpp"

#include <rt/thread/thread.hpp>

#include <string>

using namespace apps;

namespace {

constexpr std::string_view name = "19_blocking_client";

int demonstrate() {
  auto listener = listen(0);
  if (!listener) return fail(name, "cannot listen", listener.error());
  rt::Thread server([&] { blocking::serve(*listener, 1); });
  server.start().value();
  const auto asked = blocking::ask("client", listener->address(), std::string(20'000, 'x'), 300ms);
  if (!asked) return fail(name, "cannot ask the server", asked.error());
  server.join();
  rt::println("end");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv, "Blocking I/O, the client: it sends something, and waits for the answer.");
  const auto port = client_port(options);
  const auto text = options.text("--text", "TEXT", "what to send: \"hello\" if not given");
  if (const auto status = options.finish()) return *status;
  if (!port) return demonstrate();

  occupy_standard_files();
  const auto asked = blocking::ask("client", loopback(*port), text.value_or("hello"), 0ms);
  return asked ? 0 : fail(name, "cannot ask the server", asked.error());
}
