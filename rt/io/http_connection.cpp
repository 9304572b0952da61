#include <rt/io/http_connection.hpp>

namespace rt::http {
namespace {

constexpr std::string_view known_methods[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                              "DELETE", "OPTIONS", "CONNECT", "TRACE"};

bool is_known(std::string_view method) {
  for (const auto known : known_methods)
    if (method == known) return true;
  return false;
}

constexpr std::size_t read_at_once = 4096;

} // namespace

Connection::Connection(Server& server, Fd socket) : server_(server), socket_(std::move(socket)) {}

Connection::~Connection() { remove(); }

void Connection::run() {
  while (keep_) {
    RequestParser parser(options().limits);
    switch (receive_head(parser)) {
    case Head::none: return;
    case Head::refused: return linger();
    case Head::complete: break;
    }
    if (!answer(parser)) return linger();
  }
}

Connection::Head Connection::receive_head(RequestParser& parser) {
  if (input_.empty()) {
    // Thousands of connections may be idle: such a one has no buffer.
    input_ = Buffer();
    if (!wait_idle()) return Head::none;
  }
  Pace pace(options().head_timeout, options().least_rate); // nothing is added to it
  for (;;) {
    if (!input_.empty()) {
      const Progress progress = parser.parse(input_.text());
      if (progress == Progress::complete) return Head::complete;
      if (progress == Progress::failed) return refuse(status_of(parser.fault())), Head::refused;
    }
    const Result<void> received = receive_input(pace);
    if (received) continue;
    if (received.error() != Errc::timed_out || input_.empty()) return Head::none;
    return refuse(408), Head::refused;
  }
}

bool Connection::wait_idle() {
  if (stopping()) return false;
  insert_before(server_.idle_);
  const Result<Ready> ready = wait_until_ready(socket_.number(), Ready::read, Deadline::after(options().idle_timeout));
  remove();
  return ready.ok();
}

bool Connection::answer(RequestParser& parser) {
  if (!is_known(parser.method()) || parser.method() == "CONNECT") return refuse(501), false;
  if (parser.expects_unknown()) return refuse(417), false;
  if (parser.chunked()) { // behind the head there has to be room for any line
    if (!input_.reserve(options().limits.line + read_at_once)) return refuse(500), false;
    parser.moved_to(input_.text());
  }
  input_.keep(parser.size());
  keep_ = parser.keep_alive() && !stopping();
  Request request(*this, parser);
  Reply reply(*this, parser);
  request_ = &request;
  server_.handler_(request, reply);
  ++server_.requests_;
  if (!reply.begun()) (void)reply.send(500, "text/plain", "500 Internal Server Error\n");
  (void)reply.end();
  const bool rest_read = !broken_ && request.skip_rest();
  request_ = nullptr;
  input_.release();
  return rest_read && !broken_;
}

void Connection::refuse(unsigned status) {
  keep_ = false;
  Reply reply(*this, RequestParser(options().limits));
  char text[64];
  const std::size_t size = format_to(text, "{} {}\n", status, reason_of(status));
  (void)reply.send(status, "text/plain", {text, size});
}

// What the client is still sending is read away for a while: to close a connection with something unread in it resets
// it, and the client might lose the answer (RFC 9112, section 9.6).
void Connection::linger() {
  if (broken_ || !kernel::shut_socket(socket_.number(), kernel::Way::write)) return;
  Pace pace(std::chrono::seconds(2), options().least_rate);
  char rest[2048];
  for (std::size_t left = 512 * 1024; left >= sizeof rest;) {
    const Result<std::size_t> received = receive(rest, pace);
    if (!received) return;
    left -= *received;
  }
}

Result<void> Connection::send(std::span<kernel::Piece> pieces, Pace& pace, kernel::More more) {
  if (broken_) return Errc::broken_pipe;
  while (!pieces.empty()) {
    const Result<std::size_t> sent = kernel::send_pieces(socket_.number(), pieces, more);
    if (sent) {
      pace.moved(*sent);
      std::size_t left = *sent;
      for (; !pieces.empty() && left >= pieces.front().size; pieces = pieces.subspan(1)) left -= pieces.front().size;
      if (pieces.empty()) break;
      pieces.front().data = static_cast<const char*>(pieces.front().data) + left;
      pieces.front().size -= left;
      continue;
    }
    Error error = sent.error();
    if (error == Errc::interrupted) continue;
    if (error == Errc::would_block) error = pace.wait(socket_.number(), Ready::write).error();
    if (error != Errc::none) return broken_ = true, keep_ = false, error;
  }
  return {};
}

Result<void> Connection::send_file(int file, std::uint64_t offset, std::uint64_t size, Pace& pace) {
  constexpr std::uint64_t at_once = 1 << 20; // then others have their turn
  while (size != 0) {
    const Result<std::size_t> sent = kernel::send_file(socket_.number(), file, offset, std::min(size, at_once));
    Error error = sent.error();
    if (sent && *sent == 0) error = {Errc::io_error}; // it has been promised
    if (error == Errc::interrupted) continue;
    if (error == Errc::would_block) error = pace.wait(socket_.number(), Ready::write).error();
    if (error != Errc::none) return broken_ = true, keep_ = false, error;
    if (!sent) continue;
    pace.moved(*sent);
    offset += *sent;
    size -= *sent;
    if (size != 0) yield();
  }
  return {};
}

Result<std::size_t> Connection::receive(std::span<char> buffer, Pace& pace) {
  for (;;) {
    const Result<std::size_t> received = kernel::receive_from_socket(socket_.number(), buffer);
    if (received) {
      if (*received == 0) return Errc::end_of_file;
      pace.moved(*received);
      return received;
    }
    if (received.error() == Errc::interrupted) continue;
    if (received.error() != Errc::would_block) return received;
    if (const Result<void> waited = pace.wait(socket_.number(), Ready::read); !waited) return waited.error();
  }
}

Result<void> Connection::receive_input(Pace& pace) {
  if (const Result<void> room = input_.reserve(read_at_once); !room) return room;
  const Result<std::size_t> received = receive(input_.room(), pace);
  if (!received) return received.error();
  input_.filled(*received);
  return {};
}

} // namespace rt::http
