#pragma once
// Sending and receiving all of something on a connected socket, at the pace that the other side is allowed.

#include <rt/io/http_pace.hpp>
#include <rt/kernel/socket.hpp>
#include <rt/kernel/stream_io.hpp>

#include <span>

namespace rt::http {

/// TCP_NODELAY: what is sent leaves at once. A connection has it from its listener. Other sockets know no such delay.
inline void send_without_delay(int socket) {
  constexpr int tcp = 6, no_delay = 1; // IPPROTO_TCP, TCP_NODELAY
  (void)kernel::set_socket_option(socket, tcp, no_delay, 1);
}

/// All of the pieces. What is left of them is in their place when it fails.
Result<void> send_all(int socket, std::span<kernel::Piece> pieces, Pace& pace, kernel::More more = kernel::More::no);

/// What is there, after a wait for it if need be. end_of_file: nothing more will come.
Result<std::size_t> receive(int socket, std::span<char> buffer, Pace& pace);

} // namespace rt::http
