// Blocking input and output: a server that has one client at a time, since it waits for that one.
//
// Without --port it has two clients of its own. The first lets it wait before it sends something; the second has sent
// all at once, and is answered only when the first has been.

#include "19_blocking.hpp"

#include <rt/thread/thread.hpp>

#include <string>

using namespace apps;

namespace {

constexpr std::string_view name = "19_blocking_server";

int demonstrate() {
  auto listener = listen(0);
  if (!listener) return fail(name, "cannot listen", listener.error());
  // Connected here, so that it is the slow one that the server accepts first.
  auto first = TcpStream::connect(listener->address()), second = TcpStream::connect(listener->address());
  for (const auto* stream : {&first, &second})
    if (!*stream) return fail(name, "cannot connect", stream->error());
  rt::Thread server([&] { blocking::serve(*listener, 2); });
  rt::Thread slow([&] { blocking::ask("slow client", std::move(*first), std::string(50'000, 'x'), 600ms).value(); });
  rt::Thread quick([&] { blocking::ask("quick client", std::move(*second), std::string(5'000, 'x'), 0ms).value(); });
  for (rt::Thread* thread : {&server, &quick, &slow}) thread->start().value();
  for (rt::Thread* thread : {&server, &quick, &slow}) thread->join();
  rt::println("end");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv, "Blocking I/O, the server: it waits for data, then copies them; each phase is timed.");
  const auto port = server_port(options);
  if (const auto status = options.finish()) return *status;
  if (!port) return demonstrate();

  rt::Error error;
  const auto signal = rt::run_until_signal([&] { // who reads where it listens may send a signal at once
    auto listener = listen(*port);
    if (!listener) return void(error = listener.error());
    blocking::serve(*listener);
  });
  if (!signal) return fail(name, "cannot wait for signals", signal.error());
  if (error != rt::Errc::none) return fail(name, "cannot listen", error);
  rt::println("server: ends");
  return 0;
}
