#pragma once
// Socket: what TCP, UDP and local (Unix) sockets have in common; StreamSocket: reading and writing on a connection.
//
// What has to wait blocks the thread, or only the fiber when it is called in one, until the task's Timeout or a cancel
// ends it: timed_out, canceled. Signals do not end it. In non-blocking mode it says would_block at once. Closing the
// socket ends the waits for it with bad_file_descriptor.
//
// A call is tried before it waits. But where the last read got less than it had room for, all had been read, and in a
// fiber the next one waits first: a server that answers one request after the other spares the call that would find
// nothing.

#include <rt/io/address.hpp>
#include <rt/io/fd.hpp>
#include <rt/kernel/socket.hpp>

#include <chrono>
#include <string_view>

namespace rt {

class Socket {
 public:
  Socket() = default;

  bool is_open() const { return fd_.is_open(); }
  explicit operator bool() const { return is_open(); }
  /// The descriptor; -1: none.
  int number() const { return fd_.number(); }
  void close() { fd_.close(); }
  /// Gives the descriptor away.
  [[nodiscard]] int release() { return fd_.release(); }

  /// Its own address; with the port that it was given if it asked for any.
  Address address() const;

  void set_nonblocking(bool nonblocking) { fd_.set_nonblocking(nonblocking); }
  bool nonblocking() const { return fd_.nonblocking(); }

  /// setsockopt(2), of an option that is an int; constants of <linux/in.h>, <linux/tcp.h> and <asm/socket.h>.
  Result<void> set_option(int level, int option, int value);
  Result<int> option(int level, int option) const;

 protected:
  explicit Socket(Fd fd) : fd_(std::move(fd)) {}

  /// Until it is ready. would_block: in non-blocking mode.
  Errc wait(Ready events);

  /// Makes a call that does not wait again and again, each time that the socket is ready for it.
  template <class Call> auto patiently(Ready events, Call call) -> decltype(call()) {
    for (;;) {
      auto result = call();
      const Errc code = result.error().code;
      if (code == Errc::interrupted) continue;
      if (code != Errc::would_block) return result;
      if (const Errc failure = wait(events); failure != Errc::none) return failure;
    }
  }

  Fd fd_;
};

using kernel::ShutDown;

class StreamSocket : public Socket {
 public:
  /// Some bytes, one at least; 0: the other side sends no more, or the buffer is empty. connection_reset.
  [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);
  /// As many as the buffer has room for. end_of_file: there were fewer; they are lost.
  [[nodiscard]] Result<void> read_exactly(std::span<char> buffer);

  /// Some bytes, as many as the kernel takes at once. broken_pipe, connection_reset: the other side is gone. (There is
  /// no SIGPIPE.)
  [[nodiscard]] Result<std::size_t> write_some(std::span<const char> bytes);
  /// All of them. After an error some may have been sent.
  [[nodiscard]] Result<void> write(std::span<const char> bytes);
  template <std::size_t size> [[nodiscard]] Result<void> write(const char (&literal)[size]) {
    return write(std::span(literal, size - 1));
  }

  /// Ends a direction, for all who have the connection: after `writing` the other side reads the end; `both` or
  /// `reading` let reads here end as well, also those that wait.
  Result<void> shutdown(ShutDown what = ShutDown::both);

  /// The other side's.
  Address peer() const;

 protected:
  StreamSocket() = default;
  explicit StreamSocket(Fd fd) : Socket(std::move(fd)) {}

 private:
  bool drained_ = false; // the last read got all that there was
};

struct ListenOptions {
  int backlog = 4096;      ///< connections that wait to be accepted; the kernel may have a lower limit (somaxconn)
  bool reuse_port = false; ///< several listeners on one port, among which the kernel shares out the connections
  bool only_ipv6 = false;  ///< one on an IPv6 address takes no IPv4 connections
};

/// What accepts connections, for a server that is to go on whatever happens.
///
/// An error that is one connection's loses that connection only. When the process or the system has no descriptor left,
/// or no memory, clients would wait for an accept that never comes, and a loop around it would spin. So a descriptor is
/// held in reserve: it is given up to accept a connection and close it at once, which tells the client, and is taken
/// again. Where that does not help either, accepting pauses for 10 ms.
class StreamListener : public Socket {
 public:
  /// Connections that were closed at once, as there was no descriptor for them.
  std::uint64_t shed() const { return shed_; }

 protected:
  StreamListener() = default;

  static Result<void> begin(StreamListener& listener, const Address& address, const ListenOptions& options);
  Result<Fd> accept_descriptor();

 private:
  Errc shed_one();

  Fd reserve_;
  std::uint64_t shed_ = 0;
};

namespace sockets {

/// A new socket that is connected to the address. Errors of connect(2); timed_out, canceled.
Result<Fd> connect(const Address& address, Deadline deadline);

} // namespace sockets
} // namespace rt
