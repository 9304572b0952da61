#include <rt/io/http_connection.hpp>

#include <rt/io/broken_pipe.hpp>

#include <algorithm>
#include <limits>

namespace rt::http {
namespace {

bool is_known(std::string_view method) {
  static constexpr char methods[][8] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"};
  return std::any_of(std::begin(methods), std::end(methods), [&](const char* known) { return method == known; });
}

constexpr std::size_t read_of_heads = 4096;

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
  Pace pace(options().head_timeout, std::numeric_limits<std::uint32_t>::max()); // nothing is gained by trickling
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
    if (!input_.reserve(options().limits.line + read_of_heads)) return refuse(500), false;
    parser.moved_to(input_.text());
  }
  input_.keep(parser.size());
  keep_ = parser.keep_alive();
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
  if (broken_ || !kernel::shut_down_socket(socket_.number(), kernel::ShutDown::writing)) return;
  Pace pace(std::chrono::seconds(2), options().least_rate);
  char rest[2048];
  for (std::size_t left = 512 * 1024; left >= sizeof rest;) {
    const Result<std::size_t> received = receive(socket_.number(), rest, pace);
    if (!received) return;
    left -= *received;
  }
}

Result<void> Connection::send(std::span<kernel::Piece> pieces, Pace& pace, kernel::More more) {
  if (broken_) return Errc::broken_pipe;
  const Result<void> sent = send_all(socket_.number(), pieces, pace, more);
  if (!sent) broken_ = true;
  return sent;
}

Result<void> Connection::send_file(int file, std::uint64_t offset, std::uint64_t size, Pace& pace) {
  constexpr std::uint64_t at_once = 1 << 20; // then others have their turn
  survive_broken_pipes();
  while (size != 0) {
    const Result<std::size_t> sent = kernel::send_file(socket_.number(), file, offset, std::min(size, at_once));
    Error error = sent.error();
    if (sent && *sent == 0) error = {Errc::io_error}; // it has been promised
    if (error == Errc::interrupted) continue;
    if (error == Errc::would_block) error = pace.wait(socket_.number(), Ready::write).error();
    if (error != Errc::none) return broken_ = true, error;
    if (!sent) continue;
    pace.moved(*sent);
    offset += *sent;
    size -= *sent;
    if (size != 0) yield();
  }
  return {};
}

Result<void> Connection::receive_input(Pace& pace) {
  if (const Result<void> room = input_.reserve(read_of_heads); !room) return room;
  const Result<std::size_t> received = receive(socket_.number(), input_.room(), pace);
  if (!received) return received.error();
  input_.filled(*received);
  return {};
}

} // namespace rt::http
