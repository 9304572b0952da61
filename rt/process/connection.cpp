#include <rt/process/connection.hpp>

#include <rt/base/panic.hpp>
#include <rt/hub/hub.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/stream_io.hpp>
#include <rt/process/cbor.hpp>

#include <algorithm>
#include <cstring>

namespace rt {

using kernel::Blocking;

namespace {

constexpr std::size_t short_head = 4, long_head = 12;
constexpr std::uint64_t most_in_short_head = 0x7fffffff;

void write_big_endian(char* to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to[i] = static_cast<char>(value >> 8 * (bytes - 1 - i));
}

std::uint64_t read_big_endian(const char* from, unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

/// Writes what stands before a message, and returns its size.
std::size_t write_head(char* to, std::uint64_t size) {
  if (size <= most_in_short_head) return write_big_endian(to, size, short_head), short_head;
  write_big_endian(to, 0xffffffff, 4);
  write_big_endian(to + 4, size, 8);
  return long_head;
}

/// A thread that has nothing else to do and all the time may block in the kernel.
Blocking blocking_of_caller() { return !hub::running_flow && current_task().limit == 0 ? Blocking::yes : Blocking::no; }

/// Makes the call, which the kernel may interrupt or refuse for the moment, until it has done something.
template <class Call> Result<std::size_t> patiently(int socket, Ready ready, Call call) {
  Blocking blocking = blocking_of_caller();
  for (;;) {
    const Result<std::size_t> result = call(blocking);
    const Errc code = result.error().code;
    if (code == Errc::would_block) {
      if (const auto waited = wait_until_ready(socket, ready); !waited) return waited.error();
    } else if (code != Errc::interrupted) {
      return result;
    }
  }
}

} // namespace

void Connection::close() {
  socket_.close();
  buffer_.reset();
  capacity_ = begin_ = end_ = 0;
}

// --- Sending ---------------------------------------------------------------------------------------------------------

Result<void> Connection::send(const Value& value) {
  // The size is written when it is known; where it needs the long head, the contents go separately.
  outgoing_.assign(short_head, '\0');
  if (const auto encoded = cbor::encode(value, outgoing_); !encoded) return encoded;
  const std::size_t size = outgoing_.size() - short_head;
  Result<void> sent;
  if (size <= most_in_short_head) {
    write_head(outgoing_.data(), size);
    sent = send_all(outgoing_, {});
  } else {
    sent = send_bytes(std::string_view(outgoing_).substr(short_head));
  }
  if (outgoing_.capacity() > most_kept) outgoing_ = std::string();
  return sent;
}

// A short message is copied behind its head: for the kernel, one piece is less work than two.
Result<void> Connection::send_bytes(std::string_view bytes) {
  constexpr std::size_t most_copied = 2048;
  char head[long_head];
  const std::size_t size = write_head(head, bytes.size());
  if (bytes.size() > most_copied) return send_all({head, size}, bytes);
  outgoing_.assign(head, size);
  outgoing_.append(bytes);
  return send_all(outgoing_, {});
}

Result<void> Connection::send_all(std::span<const char> head, std::span<const char> rest) {
  if (direction_ == Direction::receive_only) return Errc::bad_file_descriptor;
  if (cut_off_) return Errc::broken_pipe;
  const std::size_t all = head.size() + rest.size();
  while (!head.empty()) {
    const auto sent = patiently(socket_.number(), Ready::write, [&](Blocking blocking) {
      const kernel::Piece pieces[] = {head, rest};
      return kernel::send_pieces(socket_.number(), std::span(pieces).first(rest.empty() ? 1 : 2), blocking);
    });
    if (!sent) {
      if (sent.error() == Errc::connection_reset) return Errc::broken_pipe;
      cut_off_ = head.size() + rest.size() < all;
      if (cut_off_) (void)kernel::shut_down_socket(socket_.number(), kernel::ShutDown::writing);
      return sent.error();
    }
    const std::size_t of_head = std::min(*sent, head.size());
    head = head.subspan(of_head);
    rest = rest.subspan(*sent - of_head);
    if (head.empty()) std::swap(head, rest);
  }
  return {};
}

// --- Receiving -------------------------------------------------------------------------------------------------------

Result<Value> Connection::recv() {
  const auto message = receive_message();
  if (!message) return message.error();
  return cbor::decode(*message);
}

Result<std::string> Connection::recv_bytes() {
  const auto message = receive_message();
  if (!message) return message.error();
  return std::string(*message);
}

/// The contents are in the buffer until the next call.
Result<std::string_view> Connection::receive_message() {
  if (direction_ == Direction::send_only) return Errc::bad_file_descriptor;
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > most_kept) { // a large message was here
      buffer_.reset();
      capacity_ = 0;
    }
  }
  std::size_t head = short_head;
  if (const auto received = receive_at_least(head); !received) return received.error();
  std::uint64_t size = read_big_endian(&buffer_[begin_], 4);
  if (size == 0xffffffff) {
    head = long_head;
    if (const auto received = receive_at_least(head); !received) return received.error();
    size = read_big_endian(&buffer_[begin_ + 4], 8);
  }
  if (size > limit_) return Errc::message_size;
  if (const auto received = receive_at_least(head + size); !received) return received.error();
  const std::string_view message(&buffer_[begin_ + head], size);
  begin_ += head + size;
  return message;
}

/// Receives until so many bytes are in the buffer.
Result<void> Connection::receive_at_least(std::size_t size) {
  while (end_ - begin_ < size) {
    make_room(size);
    // In a fiber, the call that would find nothing is spared.
    if (std::exchange(drained_, false) && hub::running_flow)
      if (const auto ready = wait_until_ready(socket_.number(), Ready::read); !ready) return ready.error();
    const auto received = patiently(socket_.number(), Ready::read, [&](Blocking blocking) {
      return kernel::receive_stream(socket_.number(), {&buffer_[end_], capacity_ - end_}, blocking);
    });
    // The peer's end, with something in it that we have sent, tells of itself like this.
    if (!received) return received.error() == Errc::connection_reset ? Errc::end_of_file : received.error().code;
    if (*received == 0) return Errc::end_of_file;
    end_ += *received;
    drained_ = end_ < capacity_;
  }
  return {};
}

/// Makes room behind what has come for the rest of `size` bytes. What a size claims is believed only as far as as much
/// has come already.
void Connection::make_room(std::size_t size) {
  const std::size_t kept = end_ - begin_, wanted = kept + std::min(size - kept, std::max(kept, most_kept));
  if (capacity_ - begin_ >= wanted) return;
  const std::size_t capacity = std::max({wanted, capacity_, least_capacity});
  std::unique_ptr<char[]> larger(capacity > capacity_ ? new char[capacity] : nullptr);
  if (kept != 0) std::memmove(larger ? larger.get() : buffer_.get(), &buffer_[begin_], kept);
  if (larger) buffer_ = std::move(larger);
  capacity_ = capacity;
  begin_ = 0;
  end_ = kept;
}

Result<bool> Connection::poll_until(Deadline deadline) {
  if (direction_ == Direction::send_only) return Errc::bad_file_descriptor;
  if (has_buffered()) return true;
  const auto ready = wait_until_ready(socket_.number(), Ready::read, deadline);
  if (ready.error() == Errc::timed_out && deadline.passed()) return false;
  if (!ready) return ready.error();
  return true;
}

// --- Pipes -----------------------------------------------------------------------------------------------------------

Result<std::pair<Connection, Connection>> try_make_pipe(bool duplex) {
  const auto pair = kernel::make_blocking_pair();
  if (!pair) return pair.error();
  using Direction = Connection::Direction;
  return std::pair(Connection(Fd(pair->first), duplex ? Direction::both : Direction::receive_only),
                   Connection(Fd(pair->second), duplex ? Direction::both : Direction::send_only));
}

std::pair<Connection, Connection> make_pipe(bool duplex) {
  auto pipe = try_make_pipe(duplex);
  if (!pipe) panic("no pipe can be made: {}; try_make_pipe() returns that as an error", pipe.error());
  return std::move(*pipe);
}

} // namespace rt
