#include <rt/io/http_client.hpp>

#include <rt/hub/timeout.hpp>
#include <rt/io/http_response.hpp>
#include <rt/io/resolver.hpp>
#include <rt/io/tcp.hpp>

#include <algorithm>

namespace rt::http {
namespace {

constexpr std::int64_t keep_time = 60'000'000'000; // nanoseconds

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view each) { return equal_ignoring_case(text, each); });
}

/// May be sent again when nobody knows whether it has arrived (RFC 9110, section 9.2.2).
bool is_idempotent(std::string_view method) {
  return is_one_of(method, {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"});
}

bool are_good(std::string_view method, const RequestOptions& options) {
  if (!all_of(method, token) || method == "CONNECT" || prefix_of(options.type, field_text) != options.type.size())
    return false;
  for (const Field& field : options.fields)
    if (!all_of(field.name, token) || prefix_of(field.value, field_text) != field.value.size() ||
        is_one_of(field.name, {"host", "content-length", "transfer-encoding", "connection"}))
      return false;
  return true;
}

std::string make_head(std::string_view method, const Url& url, const RequestOptions& options, bool own) {
  std::string head(method);
  head.append(" ").append(url.target()).append(" HTTP/1.1\r\nHost: ").append(url.authority()).append("\r\n");
  bool agent = false, accept = false;
  for (const Field& field : options.fields) {
    if (!own && is_one_of(field.name, {"authorization", "cookie", "proxy-authorization"})) continue;
    agent = agent || equal_ignoring_case(field.name, "user-agent");
    accept = accept || equal_ignoring_case(field.name, "accept");
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (!agent) head.append("User-Agent: rt\r\n");
  if (!accept) head.append("Accept: */*\r\n");
  if (!options.body.empty() || is_one_of(method, {"POST", "PUT", "PATCH"})) {
    char number[20];
    const std::size_t size = format_to(number, "{}", options.body.size());
    head.append("Content-Length: ").append(number, size).append("\r\n");
    if (!options.type.empty()) head.append("Content-Type: ").append(options.type).append("\r\n");
  }
  return head.append("\r\n");
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

} // namespace

Result<Response> Client::request(std::string_view method, std::string_view text, const RequestOptions& given) {
  if (!are_good(method, given)) return Errc::invalid_argument;
  const auto first = Url::parse(text);
  if (!first) return first.error();
  Url url = *first;
  RequestOptions options = given;
  for (unsigned followed = 0;; ++followed) {
    auto reading = exchange(method, url, options, same_origin(url, *first));
    if (!reading) return reading.error();
    const ResponseParser& head = (*reading)->head();
    const auto location = head.fields().find("location");
    if (options.redirects == 0 || !is_redirect(head.status()) || !location) {
      if (!options.stream)
        if (const Result<void> read = (*reading)->read_all(); !read) return read.error();
      return Response(std::move(*reading));
    }
    if (followed == options.redirects) return Errc::too_many_redirects;
    const auto next = url.resolve(*location);
    if (!next) return next.error() == Errc::invalid_argument ? Error{Errc::bad_message} : next.error();
    // RFC 9110, section 15.4: all but 307 and 308 turn POST into GET, and 303 turns everything but HEAD into it.
    if ((head.status() == 303 && method != "HEAD") || (head.status() < 303 && method == "POST")) {
      method = "GET";
      options.body = options.type = {};
    }
    (*reading)->skip_rest();
    url = *next;
  }
}

Result<std::unique_ptr<Response::Reading>> Client::exchange(std::string_view method, const Url& url,
                                                            const RequestOptions& options, bool own) {
  if (url.secure()) return Errc::protocol_not_supported;
  const std::string head = make_head(method, url, options, own);
  for (;;) {
    Fd socket = take_kept(url);
    const bool was_kept = socket.is_open();
    if (!was_kept) {
      auto connected = connect(url, options);
      if (!connected) return connected.error();
      socket = std::move(*connected);
    }
    auto reading = std::make_unique<Reading>(*this, url, options, std::move(socket));
    kernel::Piece pieces[] = {std::string_view(head), options.body};
    const Result<void> sent = reading->send({pieces, options.body.empty() ? 1u : 2u});
    // A server may answer, and close, without having taken all: then the answer is what counts.
    const bool gone = !sent && (sent.error() == Errc::broken_pipe || sent.error() == Errc::connection_reset);
    if (!sent && !gone) return sent.error();
    const Result<void> received = reading->receive_head(method == "HEAD");
    if (received) return reading;
    // The server may have closed a connection that nobody used, while the request was on its way.
    const Error error = received.error();
    const bool lost = error == Errc::end_of_file || error == Errc::connection_reset || error == Errc::broken_pipe;
    if (was_kept && lost && !reading->begun() && is_idempotent(method)) continue;
    return gone ? sent.error() : error;
  }
}

Result<Fd> Client::connect(const Url& url, const RequestOptions& options) {
  const Deadline deadline = Deadline::after(options.connect_timeout);
  const Timeout limit(options.connect_timeout);
  const auto addresses = resolver_ ? resolver_->resolve(url.host(), url.port()) : resolve(url.host(), url.port());
  if (!addresses) return addresses.error();
  Error error{Errc::address_not_available};
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    // One that does not answer leaves the others their share of the time.
    const auto left = std::chrono::nanoseconds(deadline.nanoseconds()) - Clock::now().time_since_epoch();
    auto connected =
        sockets::connect((*addresses)[i], Deadline::after(left / static_cast<std::int64_t>(addresses->size() - i)));
    if (connected) {
      ++connects_;
      send_without_delay(connected->number());
      return connected;
    }
    error = connected.error();
    if (error == Errc::canceled) break;
  }
  return error;
}

Fd Client::take_kept(const Url& url) {
  const std::int64_t oldest = Clock::now().time_since_epoch().count() - keep_time;
  std::erase_if(kept_, [&](const Kept& kept) { return kept.since < oldest; });
  for (std::size_t i = kept_.size(); i-- != 0;) { // the one used last is the likeliest to be open still
    if (kept_[i].port != url.port() || kept_[i].host != url.host()) continue;
    Fd socket = std::move(kept_[i].socket);
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i));
    if (kernel::is_silent(socket.number())) return socket;
  }
  return {};
}

void Client::keep(const Url& url, Fd socket) {
  if (most_kept_ == 0) return;
  if (kept_.size() == most_kept_) kept_.erase(kept_.begin());
  kept_.push_back({std::string(url.host()), url.port(), Clock::now().time_since_epoch().count(), std::move(socket)});
}

Result<Response> request(std::string_view method, std::string_view url, const RequestOptions& options) {
  Client client;
  RequestOptions all = options;
  all.stream = false;
  return client.request(method, url, all);
}

Result<Response> get(std::string_view url, const RequestOptions& options) { return request("GET", url, options); }

} // namespace rt::http
