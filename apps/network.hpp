#pragma once
// What the servers and clients among the apps have in common. Each pair has one header with both sides: a program of
// the pair shows both of them by itself, or is one side with --port.

#include "options.hpp"
#include "standard_files.hpp"

#include <rt/io/signal_events.hpp>
#include <rt/io/tcp.hpp>

namespace apps {

using namespace std::chrono_literals;
using rt::Address, rt::Result, rt::TcpListener, rt::TcpStream;

/// The port that a real server is to listen on, 0 for any that is free; none: a demonstration.
inline std::optional<unsigned> server_port(Options& options) {
  return options.number("--port", "PORT", "be a server on 127.0.0.1 until SIGINT or SIGTERM; 0: any free port", 0,
                        65535);
}

/// The port of a real client's server; none: a demonstration.
inline std::optional<unsigned> client_port(Options& options) {
  return options.number("--port", "PORT", "be a client of the server on 127.0.0.1 at that port", 1, 65535);
}

inline Address loopback(unsigned port) { return Address::loopback(static_cast<std::uint16_t>(port)); }

/// Reports why the program ends, with the status to end with.
template <class... A> int fail(std::string_view app, std::string_view what, rt::Error error) {
  rt::eprintln("{}: {}: {}{}", app, what, error,
               error == rt::Errc::network_unreachable ? "; the loopback interface has to be up" : "");
  return 1;
}

/// Listens on the loopback interface and says where.
inline Result<TcpListener> listen(unsigned port) {
  occupy_standard_files();
  auto listener = TcpListener::listen(loopback(port));
  if (listener) rt::println("server: listens on {}", listener->address());
  return listener;
}

/// What was received, in quotes and on one line: no more than 60 bytes of it, and `.` for what cannot be printed.
inline void format_received(rt::Output& out, std::string_view text) {
  constexpr std::size_t most = 60;
  out.put('"');
  for (const char c : text.substr(0, most)) out.put(c >= ' ' && c != 127 ? c : '.');
  out.put('"');
  if (text.size() > most) rt::format_to(out, " and {} bytes more", text.size() - most);
}

struct Received {
  std::string_view text;
};
inline void format_value(rt::Output& out, Received received) { format_received(out, received.text); }

/// The text without the end of its line.
inline std::string_view without_newline(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// The time since then, in whole microseconds.
inline std::chrono::microseconds since(rt::Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(rt::Clock::now() - begin);
}

} // namespace apps
