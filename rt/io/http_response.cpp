#include <rt/io/http_response.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace rt::http {

namespace {
constexpr std::size_t read_at_once = 16 * 1024;
constexpr unsigned most_interim = 16;
} // namespace

Response::Response(std::unique_ptr<Reading> reading) : reading_(std::move(reading)) {}
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;
Response::~Response() = default;

unsigned Response::status() const { return reading_->head().status(); }
std::string_view Response::reason() const { return reading_->head().reason(); }
Fields Response::fields() const { return reading_->head().fields(); }
const Url& Response::url() const { return reading_->url(); }
std::optional<std::uint64_t> Response::content_length() const { return reading_->head().content_length(); }
std::string_view Response::body() const { return reading_->body(); }
Result<std::size_t> Response::read(std::span<char> buffer) { return reading_->read(buffer); }
Result<void> Response::read_all() { return reading_->read_all(); }

Result<void> Response::Reading::receive_head(bool head_only) {
  for (;;) {
    const Progress progress = input_.empty() ? Progress::more : head_.parse(input_.text());
    if (progress == Progress::failed) return error_of(head_.fault());
    if (progress == Progress::more) {
      if (const Result<void> received = receive_input(); !received) return received;
      continue;
    }
    if (head_.status() >= 200) break;
    // An interim answer; nothing was asked for that would change the protocol.
    if (head_.status() == 101 || ++interim_ > most_interim) return Errc::bad_message;
    input_.take(head_.size());
    std::construct_at(&head_, limits_);
  }
  if (head_.chunked()) { // behind the head there has to be room for any line
    if (const Result<void> room = input_.reserve(limits_.line + read_at_once); !room) return room;
    head_.moved_to(input_.text());
  }
  input_.keep(head_.size());
  left_ = head_.content_length().value_or(limits_.body);
  if (head_only || !head_.has_body() || head_.content_length() == 0)
    end();
  else
    framing_ = head_.chunked() ? Framing::chunked : head_.content_length() ? Framing::length : Framing::to_the_end;
  return {};
}

Result<std::size_t> Response::Reading::read(std::span<char> buffer) {
  if (error_ != Errc::none) return error_;
  if (ended_ || buffer.empty()) return std::size_t{0};
  const Result<std::size_t> got = framing_ == Framing::length    ? read_length(buffer)
                                  : framing_ == Framing::chunked ? read_chunked(buffer)
                                                                 : read_to_the_end(buffer);
  if (!got) {
    error_ = got.error();
    socket_.close();
  }
  return got;
}

Result<std::size_t> Response::Reading::read_length(std::span<char> buffer) {
  const Result<std::size_t> got = read_some(buffer.first(std::min<std::uint64_t>(buffer.size(), left_)));
  if (got && (left_ -= *got) == 0) end();
  return got;
}

Result<std::size_t> Response::Reading::read_to_the_end(std::span<char> buffer) {
  const Result<std::size_t> got = read_some(buffer);
  if (!got && got.error() == Errc::end_of_file) return end(), std::size_t{0};
  if (!got) return got;
  if (*got > left_) return Errc::message_size;
  left_ -= *got;
  return got;
}

Result<std::size_t> Response::Reading::read_chunked(std::span<char> buffer) {
  for (;;) {
    const ChunkReader::Step step = chunks_.next(input_.text(), buffer.size());
    if (step.progress == Progress::failed) return error_of(chunks_.fault());
    if (!step.data.empty()) std::memcpy(buffer.data(), step.data.data(), step.data.size());
    input_.take(step.taken);
    if (step.progress == Progress::complete) return end(), std::size_t{0};
    if (!step.data.empty()) return step.data.size();
    if (step.taken != 0) continue;
    if (const Result<void> received = receive_input(); !received) return received.error();
  }
}

Result<std::size_t> Response::Reading::read_some(std::span<char> buffer) {
  if (input_.empty()) return receive(socket_.number(), buffer, pace_);
  const std::size_t size = std::min(buffer.size(), input_.text().size());
  std::memcpy(buffer.data(), input_.text().data(), size);
  input_.take(size);
  return size;
}

Result<void> Response::Reading::receive_input() {
  if (const Result<void> room = input_.reserve(4096); !room) return room;
  const Result<std::size_t> received = receive(socket_.number(), input_.room(), pace_);
  if (!received) return received.error();
  input_.filled(*received);
  return {};
}

Result<void> Response::Reading::read_all() {
  while (!ended_ && error_ == Errc::none) {
    // The length that the server tells is believed as far as it has come true.
    const std::uint64_t expected = framing_ == Framing::length ? left_ : read_at_once;
    const std::size_t before = body_.size();
    body_.resize(before + std::min<std::uint64_t>(expected, std::max(read_at_once, before)));
    const Result<std::size_t> got = read({body_.data() + before, body_.size() - before});
    body_.resize(before + got.value_or(std::size_t{0}));
  }
  return error_;
}

void Response::Reading::skip_rest() {
  char rest[2048];
  for (std::size_t skipped = 0; !ended_ && skipped < 64 * 1024;) {
    const Result<std::size_t> got = read(rest);
    if (!got) return;
    skipped += *got;
  }
}

void Response::Reading::end() {
  ended_ = true;
  // What comes behind the answer belongs to nothing that was asked.
  if (head_.keep_alive() && framing_ != Framing::to_the_end && input_.empty()) client_.keep(url_, std::move(socket_));
  socket_.close();
}

} // namespace rt::http
