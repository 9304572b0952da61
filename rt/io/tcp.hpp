#pragma once
// TcpListener, TcpStream: connections over IPv4 and IPv6.
//
//   auto listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
//   rt::spawn([&] {
//     auto stream = rt::TcpStream::connect(listener.address()).value();
//     stream.write("hello").value();
//   });
//   auto stream = listener.accept().value();
//
// How they wait is told in socket.hpp. What is written leaves at once (TCP_NODELAY), as small pieces that answer each
// other are what programs of fibers exchange; who writes a lot in small pieces gathers them first, or sets the option.

#include <rt/hub/fiber.hpp>
#include <rt/io/socket.hpp>

namespace rt {

class TcpStream : public StreamSocket {
 public:
  /// Not connected.
  TcpStream() = default;
  /// Owns a connected socket that does not block, of TCP, from now on.
  explicit TcpStream(Fd fd) : StreamSocket(std::move(fd)) {}

  /// connection_refused, host_unreachable, timed_out and others of connect(2); canceled.
  [[nodiscard]] static Result<TcpStream> connect(const Address& address, std::chrono::nanoseconds timeout = forever);
  /// The same for an address as text, or a host and a port: "127.0.0.1:80", "[::1]:80", "localhost:80". The host's
  /// addresses are tried one after the other. invalid_argument; host_not_found and others of resolve().
  [[nodiscard]] static Result<TcpStream> connect(std::string_view address, std::chrono::nanoseconds timeout = forever);

  /// false: small pieces are held back until what was sent before has been acknowledged (Nagle).
  Result<void> set_nodelay(bool nodelay);
};

class TcpListener : public StreamListener {
 public:
  TcpListener() = default;

  /// Accepts connections from now on. address_in_use, permission_denied, address_not_available.
  [[nodiscard]] static Result<TcpListener> listen(const Address& address, const ListenOptions& options = {});

  /// The next connection, and optionally whose it is. Errors of the listener, and of the wait: timed_out, canceled,
  /// bad_file_descriptor when it was closed, invalid_argument when it was shut down.
  [[nodiscard]] Result<TcpStream> accept();

  /// Lets those that wait for a connection go on, with invalid_argument.
  Result<void> shutdown() { return kernel::shut_down_socket(number(), ShutDown::both); }
};

} // namespace rt
