#pragma once
// Connection: one end of a two-way stream of messages (Python's multiprocessing.connection.Connection).
//
//   auto [parent, child] = rt::make_pipe();
//   parent.send({12, rt::Value::Map{{"name", "alice"}}});
//   rt::println("{}", child.recv().value());
//
// Each message has its size in front, as Python writes it: 4 bytes, big endian; if they are ff ff ff ff, 8 more, for
// sizes from 2^31 on. So a Connection can talk to Python's send_bytes and recv_bytes over any stream socket. A Value is
// sent as its CBOR.
//
// A message that fits into the kernel's buffer costs one system call at each end: size and contents are sent together,
// and read together. In a fiber, only the fiber waits.
//
// One task may send and another one receive at the same time; two that send, or two that receive, need a lock of
// theirs. All processes that hold an end have to close it before the other end reads the end.

#include <rt/io/fd.hpp>
#include <rt/process/value.hpp>

#include <memory>
#include <string>
#include <utility>

namespace rt {

class Connection {
 public:
  enum class Direction : unsigned char { both, receive_only, send_only };

  /// Closed.
  Connection() = default;
  /// Over a connected stream socket, in blocking mode or not.
  explicit Connection(Fd&& socket, Direction direction = Direction::both)
      : socket_(std::move(socket)), direction_(direction) {}
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  /// Sends the value, waiting for room as long as it takes. broken_pipe: the peer has closed or died.
  /// illegal_byte_sequence, value_too_large: as cbor::encode, and nothing was sent. bad_file_descriptor: closed, or not
  /// for sending.
  ///
  /// When a Timeout or a cancel ends the wait in the middle of the message (timed_out, canceled), nothing more can be
  /// sent, as the peer would take it for the rest: it reads the end, and later calls fail with broken_pipe.
  Result<void> send(const Value& value);
  Result<void> send_bytes(std::string_view bytes);

  /// The next message. end_of_file: the peer has closed or died; a message that it had not finished is lost with it.
  /// message_size: it is larger than limit(). timed_out, canceled: nothing is lost, the next call goes on. The errors
  /// of cbor::decode: the next call gets the next message.
  Result<Value> recv();
  Result<std::string> recv_bytes();

  /// Whether recv has something to tell, a message or the end, at once or within the time.
  Result<bool> poll() { return poll_until(Deadline::at(0)); }
  template <class Rep, class Period> Result<bool> poll(std::chrono::duration<Rep, Period> timeout) {
    return poll_until(Deadline::after(timeout));
  }

  bool is_open() const { return socket_.is_open(); }
  void close();
  /// -1: closed. The bytes of the next message may have been read from it already: poll() knows.
  int fd() const { return socket_.number(); }

  /// Most bytes of a message that is received; a gibibyte if not said otherwise.
  std::size_t limit() const { return limit_; }
  void set_limit(std::size_t bytes) { limit_ = bytes; }

  /// Whether bytes have been received that no recv has returned.
  bool has_buffered() const { return end_ != begin_; }

 private:
  static constexpr std::size_t least_capacity = 16 * 1024, most_kept = 256 * 1024;

  Result<bool> poll_until(Deadline deadline);
  Result<void> send_all(std::span<const char> head, std::span<const char> rest);
  Result<std::string_view> receive_message();
  Result<void> receive_at_least(std::size_t size);
  void make_room(std::size_t size);

  Fd socket_;
  Direction direction_ = Direction::both;
  bool cut_off_ = false; // a message was sent in part
  bool drained_ = false; // the last call received all that there was
  std::size_t limit_ = std::size_t(1) << 30;
  std::string outgoing_; // kept for its memory
  // Received: [0, begin) was returned, [begin, end) was not.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

/// Two connections to each other (Python's multiprocessing.Pipe). Not duplex: the first one only receives, the second
/// one only sends. too_many_files_open.
[[nodiscard]] Result<std::pair<Connection, Connection>> try_make_pipe(bool duplex = true);
/// The same; panics when there are no descriptors left.
std::pair<Connection, Connection> make_pipe(bool duplex = true);

} // namespace rt
