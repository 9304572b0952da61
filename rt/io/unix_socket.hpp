#pragma once
// UnixListener, UnixStream: connections between processes of one machine, by a path or an abstract name, or between two
// ends that were made as a pair. They carry descriptors as well. How they wait is told in socket.hpp.

#include <rt/hub/fiber.hpp>
#include <rt/io/socket.hpp>

#include <utility>

namespace rt {

class UnixStream : public StreamSocket {
 public:
  /// Not connected.
  UnixStream() = default;
  /// Owns a connected local stream socket that does not block from now on.
  explicit UnixStream(Fd fd) : StreamSocket(std::move(fd)) {}

  /// no_such_file_or_directory, connection_refused (nobody listens), permission_denied; timed_out, canceled.
  [[nodiscard]] static Result<UnixStream> connect(const Address& address, std::chrono::nanoseconds timeout = forever);
  /// The same for an address as text: "unix:/path", "unix:@name". invalid_argument.
  [[nodiscard]] static Result<UnixStream> connect(std::string_view address, std::chrono::nanoseconds timeout = forever);

  /// Two that are connected to each other.
  [[nodiscard]] static Result<std::pair<UnixStream, UnixStream>> pair();

  /// Sends bytes, one at least, and with the first of them other names of the descriptors, of which there may be 253.
  /// After an error some of the bytes may have been sent.
  [[nodiscard]] Result<void> write_with_descriptors(std::span<const char> bytes, std::span<const int> descriptors);

  struct Received {
    std::size_t bytes;
    std::size_t descriptors;
  };
  /// Some bytes, as read(), and the descriptors that came with them. message_size: there were more of these than have
  /// room; all of them are closed.
  [[nodiscard]] Result<Received> read_with_descriptors(std::span<char> buffer, std::span<Fd> descriptors);
};

class UnixListener : public StreamListener {
 public:
  UnixListener() = default;

  /// Accepts connections from now on. A path is made; where there is a socket already that nobody listens on, which a
  /// server that was killed leaves behind, it takes its place. address_in_use, permission_denied.
  [[nodiscard]] static Result<UnixListener> listen(const Address& address, const ListenOptions& options = {});

  /// The next connection. Errors as of TcpListener.
  [[nodiscard]] Result<UnixStream> accept();

  /// Lets those that wait for a connection go on, with invalid_argument.
  Result<void> shutdown() { return kernel::shut_down_socket(number(), ShutDown::both); }
};

} // namespace rt
