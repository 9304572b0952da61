#pragma once
// Sockets of TCP over IPv4 by descriptor. All are close-on-exec, as all descriptors of the runtime; close_file and
// read_file are for them as well.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

struct Ipv4Address {
  static constexpr std::uint32_t loopback = 0x7f000001;

  std::uint32_t host = loopback; ///< 127.0.0.1 is 0x7f000001
  std::uint16_t port = 0;        ///< 0: any that is free
};

enum class Blocking : bool { no, yes };

/// socket(2), with no address yet.
Result<int> make_tcp_socket(Blocking blocking);

/// bind(2): gives the socket an address of this machine.
Result<void> bind_socket(int socket, Ipv4Address address);

/// listen(2): accepts connections from now on; up to `backlog` wait to be taken.
Result<void> listen_on_socket(int socket, int backlog);

/// getsockname(2).
Result<Ipv4Address> address_of_socket(int socket);

/// accept4(2): the next connection. would_block.
Result<int> accept_connection(int socket, Blocking blocking);

/// connect(2). A non-blocking socket says operation_in_progress, to a second call connection_already_in_progress, and
/// succeeds (or fails) in the first call after the connection was made (or could not be).
Result<void> connect_socket(int socket, Ipv4Address address);

/// One send(2), without SIGPIPE. Returns how many bytes the kernel took. would_block, broken_pipe.
Result<std::size_t> send_to_socket(int socket, std::span<const char> bytes);

} // namespace rt::kernel
