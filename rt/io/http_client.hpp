#pragma once
// Client: requests to web servers over HTTP/1.1.
//
//   auto page = rt::http::get("http://example.org/");
//   if (page && page->status() == 200) use(page->body());
//
//   rt::http::Client client;                         // keeps connections for what is asked next
//   auto large = client.get(url, {.stream = true});
//   char piece[4096];
//   while (auto size = large->read(piece).value()) use({piece, size});
//
// A call blocks the thread, or only the fiber when it is called in one: many may use one Client side by side. What a
// server says is not trusted: it has to be HTTP (see http_head.hpp), and to keep to limits of size and time. A status
// like 404 is no error; it is the answer.
//
//   invalid_argument         the URL is none, or a field or the method could not stand in a request
//   protocol_not_supported   https: there is no TLS yet; also where a redirect leads there
//   bad_message              the answer is no HTTP; message_size: it, or its body, is beyond the limits
//   end_of_file              the connection ended before the answer did
//   too_many_redirects, timed_out, canceled, and what resolving and connecting say

#include <rt/io/fd.hpp>
#include <rt/io/http_head.hpp>
#include <rt/io/url.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rt {
class Resolver;
}

namespace rt::http {

struct RequestOptions {
  std::span<const Field> fields = {}; ///< more fields; User-Agent and Accept replace those that are sent otherwise
  std::string_view body = {};         ///< sent with its length if it is not empty, and in POST, PUT and PATCH
  std::string_view type = {};         ///< Content-Type of the body
  unsigned redirects = 10;            ///< followed at most; 0: a redirect is the answer
  bool stream = false;                ///< the body is left for read()
  Limits limits = {};
  /// That finding the server's addresses and connecting to one of them may take.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(10);
  /// That the server may take to answer, and stand still while it sends or takes bodies; less if it has trickled
  /// before, fewer than `least_rate` bytes per second. A limit for the whole is rt::Timeout.
  std::chrono::nanoseconds stall_timeout = std::chrono::seconds(30);
  std::uint32_t least_rate = 128; ///< bytes per second
};

class Client;

/// An answer. If its body is left for read(), it must not outlive the Client.
class Response {
 public:
  Response(Response&&) noexcept;
  Response& operator=(Response&&) noexcept;
  ~Response();

  unsigned status() const;
  std::string_view reason() const;
  Fields fields() const;
  std::optional<std::string_view> field(std::string_view name) const { return fields().find(name); }
  /// Where the answer comes from, after redirects.
  const Url& url() const;
  /// Of the body, if the server has told.
  std::optional<std::uint64_t> content_length() const;

  /// The whole body, unless it was left for read().
  std::string_view body() const;

  /// Some of the body, one byte at least; 0: it has ended, or the buffer is empty. What failed once fails again.
  [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);
  /// The rest of the body, in body() from then on.
  [[nodiscard]] Result<void> read_all();

 private:
  friend class Client;
  class Reading; // http_response.hpp
  explicit Response(std::unique_ptr<Reading> reading);

  std::unique_ptr<Reading> reading_;
};

/// Belongs to the thread that made it, and its fibers.
class Client {
 public:
  /// connections: that are kept when nobody uses them; for a minute at most. resolver: finds the servers' addresses;
  /// nullptr: the one that the whole program shares.
  explicit Client(std::size_t connections = 64, Resolver* resolver = nullptr)
      : most_kept_(connections), resolver_(resolver) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] Result<Response> get(std::string_view url, const RequestOptions& options = {}) {
    return request("GET", url, options);
  }
  [[nodiscard]] Result<Response> request(std::string_view method, std::string_view url,
                                         const RequestOptions& options = {});

  /// Connections made so far.
  std::uint64_t connects() const { return connects_; }

 private:
  friend class Response;

  struct Kept {
    std::string host;
    std::uint16_t port;
    std::int64_t since;
    Fd socket;
  };

  using Reading = Response::Reading;

  // `own`: the fields of the options that tell who asks are for this server.
  Result<std::unique_ptr<Reading>> exchange(std::string_view method, const Url& url, const RequestOptions& options,
                                            bool own);
  Result<Fd> connect(const Url& url, const RequestOptions& options);
  Fd take_kept(const Url& url);
  void keep(const Url& url, Fd socket);

  const std::size_t most_kept_;
  Resolver* const resolver_;
  std::vector<Kept> kept_; // the longest first
  std::uint64_t connects_ = 0;
};

/// By a Client that lives as long as the call: the body is read, whatever the options say.
[[nodiscard]] Result<Response> get(std::string_view url, const RequestOptions& options = {});
[[nodiscard]] Result<Response> request(std::string_view method, std::string_view url,
                                       const RequestOptions& options = {});

} // namespace rt::http
