#pragma once
// Blocking input and output: a read waits until there is something in the kernel, and then until that has been copied
// to the program. Here the two phases are timed apart.

#include "network.hpp"

#include <algorithm>

namespace blocking {

using namespace apps;

/// One read(2). The kernel goes through both phases in the one call; to see the time of each, the first is waited for
/// by itself here, so that there is nothing left for the read but to copy.
inline Result<std::size_t> read_in_phases(std::string_view who, TcpStream& stream, std::span<char> buffer) {
  const auto begin = rt::Clock::now();
  if (const auto ready = rt::wait_until_ready(stream.number(), rt::Ready::read); !ready) return ready.error();
  const auto waited = since(begin);
  const auto copying = rt::Clock::now();
  const auto size = stream.read(buffer);
  const auto copied = since(copying);
  if (size && *size != 0) rt::println("{}: waited {}, copied {} bytes in {}", who, waited, *size, copied);
  return size;
}

// --- The server ------------------------------------------------------------------------------------------------------

/// Answers each piece that comes with its size, until the client says that there is no more.
inline void answer(TcpStream client) {
  static char buffer[64 * 1024];
  std::size_t total = 0;
  for (;;) {
    const auto size = read_in_phases("server", client, buffer);
    if (!size || *size == 0) break;
    total += *size;
  }
  char text[64];
  const std::size_t length = rt::format_to(text, "{} bytes received\n", total);
  (void)client.write(std::span(text, length)); // a client that has gone does not want to know
}

/// One client after the other, as whoever blocks has no time for another. Ends after `clients` of them, or when it is
/// canceled.
inline void serve(TcpListener& listener, unsigned clients = ~0u) {
  for (; clients > 0; --clients) {
    rt::println("server: waits for a client");
    auto client = listener.accept();
    if (!client) return;
    rt::println("server: {} has connected", client->peer());
    answer(std::move(*client));
  }
}

// --- The client ------------------------------------------------------------------------------------------------------

/// Sends the bytes after a pause and waits for the answer.
inline Result<void> ask(std::string_view name, TcpStream stream, std::string_view bytes,
                        std::chrono::milliseconds pause) {
  apps::pause(pause);
  rt::println("{}: sends {} bytes", name, bytes.size());
  if (const auto sent = stream.write(bytes); !sent) return sent;
  (void)stream.shutdown(rt::ShutDown::writing);
  char buffer[4096];
  for (;;) {
    const auto size = read_in_phases(name, stream, buffer);
    if (!size) return size.error();
    if (*size == 0) return {};
    rt::println("{}: the server says {}", name, Received{without_newline({buffer, *size})});
  }
}

/// The same over a connection of its own.
inline Result<void> ask(std::string_view name, const Address& server, std::string_view bytes,
                        std::chrono::milliseconds pause) {
  auto stream = TcpStream::connect(server);
  return stream ? ask(name, std::move(*stream), bytes, pause) : Result<void>(stream.error());
}

} // namespace blocking
