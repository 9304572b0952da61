#pragma once
// Sockets by descriptor. All are close-on-exec, as all descriptors of the runtime, and none blocks: what cannot be done
// at once says would_block. Nothing here raises SIGPIPE.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

enum class SocketFamily : std::uint16_t { none = 0, local = 1, ipv4 = 2, ipv6 = 10 };

/// stream: bytes in order; datagram: messages that may be lost, or come in another order; packets: messages in order.
enum class SocketType : int { stream = 1, datagram = 2, packets = 5 };

/// The kernel's struct sockaddr of any family, as far as it is used.
struct SocketAddress {
  static constexpr std::size_t capacity = 110; // of a local one

  SocketFamily family = SocketFamily::none;
  char rest[capacity - sizeof(SocketFamily)] = {};
  std::uint32_t size = 0; // with the family; 0: no address
};

/// socket(2), with no address yet.
Result<int> make_socket(SocketFamily family, SocketType type);

struct SocketPair {
  int first;
  int second;
};
/// socketpair(2): two local ones, connected to each other.
Result<SocketPair> make_socket_pair(SocketType type);

/// bind(2): gives the socket an address of this machine.
Result<void> bind_socket(int socket, const SocketAddress& address);

/// listen(2): accepts connections from now on; up to `backlog` wait to be taken.
Result<void> listen_on_socket(int socket, int backlog);

/// getsockname(2), getpeername(2).
Result<SocketAddress> address_of_socket(int socket);
Result<SocketAddress> peer_of_socket(int socket);

/// accept4(2): the next connection. would_block.
Result<int> accept_connection(int socket);
/// Whether an error of accept4(2) is one of the connection, which is lost, rather than of the socket.
bool is_of_connection(Error error);

/// connect(2). operation_in_progress: the socket is ready for writing when it is decided, and socket_error() tells how.
Result<void> connect_socket(int socket, const SocketAddress& address);

/// SO_ERROR: what has become of the socket since it was asked last; none: nothing.
Error socket_error(int socket);

/// shutdown(2).
enum class ShutDown : int { reading, writing, both };
Result<void> shut_down_socket(int socket, ShutDown what);

/// setsockopt(2) and getsockopt(2), of the options that are an int.
Result<void> set_socket_option(int socket, int level, int option, int value);
Result<int> socket_option(int socket, int level, int option);

/// One recv(2). 0 bytes: the end of a stream, or an empty message. would_block.
Result<std::size_t> receive_bytes(int socket, std::span<char> buffer);

/// One send(2). Returns how many bytes the kernel took. would_block, broken_pipe.
Result<std::size_t> send_bytes(int socket, std::span<const char> bytes);

/// One sendto(2): the whole as a message to that address.
Result<std::size_t> send_datagram(int socket, std::span<const char> bytes, const SocketAddress& to);

struct ReceivedDatagram {
  std::size_t size; ///< of the message, which may be longer than the buffer
  SocketAddress from;
};
/// One recvfrom(2).
Result<ReceivedDatagram> receive_datagram(int socket, std::span<char> buffer);

/// How many descriptors a message can carry (the kernel's SCM_MAX_FD).
inline constexpr std::size_t most_passed_descriptors = 253;

/// One sendmsg(2) with copies of the descriptors, on a local socket. There must be a byte at least.
Result<std::size_t> send_descriptors(int socket, std::span<const char> bytes, std::span<const int> descriptors);

struct ReceivedDescriptors {
  std::size_t bytes;
  std::size_t descriptors;
  bool complete; ///< there was room for all of them; the others are closed
};
/// One recvmsg(2), with the descriptors that came with the bytes.
Result<ReceivedDescriptors> receive_descriptors(int socket, std::span<char> buffer, std::span<int> descriptors);

} // namespace rt::kernel
