#include <rt/io/http_connection.hpp>

namespace rt::http {
namespace {

bool is_servers_own(std::string_view name) {
  return equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "transfer-encoding") ||
         equal_ignoring_case(name, "connection") || equal_ignoring_case(name, "date");
}

} // namespace

Reply::Reply(Connection& connection, const RequestParser& head)
    : connection_(connection), pace_(connection.new_pace()), head_only_(head.method() == "HEAD"),
      can_chunk_(head.minor_version() >= 1) {}

Result<void> Reply::field(std::string_view name, std::string_view value) {
  if (!all_of(name, token) || prefix_of(value, field_text) != value.size() || is_servers_own(name) || begun())
    return Errc::invalid_argument;
  fields_.append(name).append(": ").append(value).append("\r\n");
  return {};
}

Result<void> Reply::start(unsigned status, std::string_view type, std::optional<std::uint64_t> size) {
  if (begun()) return Errc::already_started;
  if (status < 200 || status > 999 || prefix_of(type, field_text) != type.size()) return Errc::invalid_argument;
  if (const Result<void> room = head_.reserve(512 + type.size() + fields_.size()); !room) return room;
  status_ = status;
  put_head(type, size);
  return {};
}

void Reply::put_head(std::string_view type, std::optional<std::uint64_t> size) {
  if (connection_.stopping() || (connection_.request_ && connection_.request_->waits_for_continue()))
    connection_.keep_ = false;
  const bool bodyless = status_ == 204 || status_ == 304;
  chunked_ = !bodyless && !size && can_chunk_;
  if (!bodyless && !size && !can_chunk_) connection_.keep_ = false; // its end is the body's

  Output out(head_.room());
  const auto put_number = [&](std::uint64_t number) {
    char digits[20];
    std::size_t at = sizeof digits;
    do digits[--at] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    out.put({digits + at, sizeof digits - at});
  };
  out.put_literal("HTTP/1.1 ");
  put_number(status_);
  out.put(' ');
  out.put(reason_of(status_));
  out.put_literal("\r\nDate: ");
  out.put(connection_.server_.date());
  if (!type.empty() && !bodyless) {
    out.put_literal("\r\nContent-Type: ");
    out.put(type);
  }
  if (!bodyless && size) {
    out.put_literal("\r\nContent-Length: ");
    put_number(*size);
  }
  if (chunked_) out.put_literal("\r\nTransfer-Encoding: chunked");
  if (!connection_.keep_)
    out.put_literal("\r\nConnection: close");
  else if (!can_chunk_)
    out.put_literal("\r\nConnection: keep-alive");
  out.put_literal("\r\n");
  out.put(fields_);
  out.put_literal("\r\n");
  head_.filled(out.size());
}

Result<void> Reply::send(unsigned status, std::string_view type, std::string_view body) {
  if (const Result<void> started = start(status, type, body.size()); !started) return started;
  ended_ = true;
  if (!has_body()) body = {};
  kernel::Piece pieces[2];
  std::size_t count = 1;
  if (body.size() <= head_.room().size())
    head_.append(body);
  else
    pieces[count++] = body;
  pieces[0] = head_.text();
  const Result<void> done = connection_.send({pieces, count}, pace_);
  if (done) sent_ = body.size();
  return done;
}

Result<void> Reply::send_file(unsigned status, std::string_view type, int file, std::uint64_t offset,
                              std::uint64_t size) {
  if (const Result<void> started = start(status, type, size); !started) return started;
  ended_ = true;
  if (!has_body()) size = 0;
  kernel::Piece head(head_.text());
  Result<void> done = connection_.send({&head, 1}, pace_, size != 0 ? kernel::More::yes : kernel::More::no);
  if (done) done = connection_.send_file(file, offset, size, pace_);
  if (done) sent_ = size;
  return done;
}

Result<void> Reply::begin(unsigned status, std::string_view type, std::optional<std::uint64_t> size) {
  const Result<void> started = start(status, type, size);
  if (started) promised_ = size;
  return started;
}

Result<void> Reply::write(std::string_view piece) {
  if (!begun() || ended_ || (promised_ && piece.size() > *promised_ - sent_)) return Errc::invalid_argument;
  if (piece.empty()) return {};
  if (!has_body()) return sent_ += piece.size(), Result<void>();
  char size[18];
  kernel::Piece pieces[4];
  std::size_t count = 0;
  if (!head_.empty()) pieces[count++] = head_.text();
  if (chunked_) pieces[count++] = std::string_view(size, write_chunk_size(size, piece.size()));
  pieces[count++] = piece;
  if (chunked_) pieces[count++] = end_of_chunk;
  const Result<void> done = connection_.send({pieces, count}, pace_);
  head_.take(head_.text().size());
  if (done) sent_ += piece.size();
  return done;
}

Result<void> Reply::flush() {
  if (!begun() || ended_ || head_.empty()) return {};
  kernel::Piece head(head_.text());
  head_.take(head_.text().size());
  return connection_.send({&head, 1}, pace_);
}

Result<void> Reply::end() {
  if (!begun() || ended_) return {};
  // The client would take what comes next for the rest of the body.
  if (promised_ && sent_ != *promised_) connection_.keep_ = false;
  if (!chunked_ || !has_body()) {
    const Result<void> done = flush();
    ended_ = true;
    return done;
  }
  ended_ = true;
  kernel::Piece pieces[2];
  std::size_t count = 0;
  if (!head_.empty()) pieces[count++] = head_.text();
  pieces[count++] = last_chunk;
  return connection_.send({pieces, count}, pace_);
}

std::string_view reason_of(unsigned status) {
  switch (status) {
  case 100: return "Continue";
  case 200: return "OK";
  case 201: return "Created";
  case 202: return "Accepted";
  case 204: return "No Content";
  case 206: return "Partial Content";
  case 301: return "Moved Permanently";
  case 302: return "Found";
  case 303: return "See Other";
  case 304: return "Not Modified";
  case 307: return "Temporary Redirect";
  case 308: return "Permanent Redirect";
  case 400: return "Bad Request";
  case 401: return "Unauthorized";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 406: return "Not Acceptable";
  case 408: return "Request Timeout";
  case 409: return "Conflict";
  case 410: return "Gone";
  case 411: return "Length Required";
  case 412: return "Precondition Failed";
  case 413: return "Content Too Large";
  case 414: return "URI Too Long";
  case 415: return "Unsupported Media Type";
  case 416: return "Range Not Satisfiable";
  case 417: return "Expectation Failed";
  case 429: return "Too Many Requests";
  case 431: return "Request Header Fields Too Large";
  case 500: return "Internal Server Error";
  case 501: return "Not Implemented";
  case 502: return "Bad Gateway";
  case 503: return "Service Unavailable";
  case 504: return "Gateway Timeout";
  case 505: return "HTTP Version Not Supported";
  }
  return {};
}

} // namespace rt::http
