#include <rt/io/http_request.hpp>

#include <rt/io/http_connection.hpp>

#include <algorithm>
#include <cstring>

namespace rt::http {

Request::Request(Connection& connection, const RequestParser& head)
    : connection_(connection), head_(head), chunks_(connection.options().limits), pace_(connection.new_pace()),
      left_(head.content_length().value_or(0)), continue_(head.expects_continue()),
      ended_(!head.chunked() && left_ == 0) {
  if (ended_ || !connection.input_.empty()) continue_ = false; // the body is there, or under way
}

std::string_view Request::path() const {
  const std::string_view path = head_.path();
  return path.empty() ? "/" : path;
}

int Request::descriptor() const { return connection_.socket_.number(); }

Result<std::size_t> Request::read(std::span<char> buffer) {
  if (error_ != Errc::none) return error_;
  if (ended_ || buffer.empty()) return std::size_t{0};
  if (continue_)
    if (const Result<void> sent = send_continue(); !sent) return fail(sent.error());
  if (head_.chunked()) return read_chunked(buffer);

  const Result<std::size_t> got = read_some(buffer.first(std::min<std::uint64_t>(buffer.size(), left_)));
  if (!got) return fail(got.error());
  left_ -= *got;
  ended_ = left_ == 0;
  return got;
}

Result<std::size_t> Request::read_some(std::span<char> buffer) {
  Buffer& input = connection_.input_;
  if (input.empty()) return receive(connection_.socket_.number(), buffer, pace_);
  const std::size_t size = std::min(buffer.size(), input.text().size());
  std::memcpy(buffer.data(), input.text().data(), size);
  input.take(size);
  return size;
}

Result<std::size_t> Request::read_chunked(std::span<char> buffer) {
  Buffer& input = connection_.input_;
  for (;;) {
    const ChunkReader::Step step = chunks_.next(input.text(), buffer.size());
    if (step.progress == Progress::failed) return fail({error_of(chunks_.fault())});
    if (!step.data.empty()) std::memcpy(buffer.data(), step.data.data(), step.data.size());
    input.take(step.taken);
    ended_ = step.progress == Progress::complete;
    if (ended_ || !step.data.empty()) return step.data.size();
    if (step.taken != 0) continue;
    if (const Result<void> received = connection_.receive_input(pace_); !received) return fail(received.error());
  }
}

Result<std::string> Request::read_all() {
  std::string body;
  constexpr std::size_t step = 4096;
  while (!ended_) {
    const std::size_t before = body.size();
    body.resize(before + std::clamp<std::uint64_t>(left_, 1, 16 * step));
    if (head_.chunked()) body.resize(before + step);
    const Result<std::size_t> got = read({body.data() + before, body.size() - before});
    if (!got) return got.error();
    body.resize(before + *got);
  }
  if (error_ != Errc::none) return error_;
  return body;
}

Result<void> Request::send_continue() {
  continue_ = false;
  kernel::Piece piece(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
  return connection_.send({&piece, 1}, pace_);
}

bool Request::skip_rest() {
  if (ended_) return true;
  if (continue_) return false;
  char rest[2048];
  std::size_t skipped = 0;
  while (!ended_ && skipped < 256 * 1024) {
    const Result<std::size_t> got = read(rest);
    if (!got) return false;
    skipped += *got;
  }
  return ended_;
}

} // namespace rt::http
