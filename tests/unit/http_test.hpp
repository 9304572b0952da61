#pragma once
// A server of HTTP in this thread, and raw connections to it.

#include <rt/io/http_server.hpp>
#include <rt/io/tcp.hpp>
#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace http_test {

using namespace std::chrono_literals;

// Long enough for anything that is going to happen on a busy machine.
constexpr auto generous = 30s;

/// Serves in a fiber of this thread while it exists.
class RunningServer {
 public:
  explicit RunningServer(rt::http::Server::Handler handler) : RunningServer({}, std::move(handler)) {}
  RunningServer(const rt::http::ServerOptions& options, rt::http::Server::Handler handler)
      : listener(rt::TcpListener::listen(rt::Address::loopback(0)).value()), address(listener.address()),
        server(options, std::move(handler)), fiber_(rt::spawn([this] { return server.serve(listener); })) {}
  ~RunningServer() {
    server.stop();
    if (fiber_.joinable()) CHECK(fiber_.join().ok());
  }

  /// What serve() has returned.
  rt::Result<void> join() { return fiber_.join(); }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(address.port()) + path; }

  rt::TcpListener listener;
  const rt::Address address;
  rt::http::Server server;

 private:
  rt::Fiber<rt::Result<void>> fiber_;
};

/// A client that sends what it likes.
class RawClient {
 public:
  explicit RawClient(const rt::Address& server) : stream(rt::TcpStream::connect(server, generous).value()) {}

  void send(std::string_view text) { stream.write(std::span(text.data(), text.size())).value(); }

  /// What comes until the server closes the connection. It fails the test if that takes too long.
  std::string read_all() {
    rt::Timeout limit(generous);
    std::string all = std::move(rest_);
    for (;;) {
      char buffer[4096];
      const auto got = stream.read(buffer);
      if (!got) return all + "<" + std::string(got.error().message()) + ">";
      if (*got == 0) return all;
      all.append(buffer, *got);
    }
  }

  /// What comes until it ends with the text, and not more.
  std::string read_until(std::string_view end) {
    rt::Timeout limit(generous);
    for (;;) {
      if (const auto at = rest_.find(end); at != rest_.npos) {
        const std::string all = rest_.substr(0, at + end.size());
        rest_.erase(0, all.size());
        return all;
      }
      char buffer[4096];
      const auto got = stream.read(buffer);
      if (!got || *got == 0) return "<connection ended after> " + std::exchange(rest_, {});
      rest_.append(buffer, *got);
    }
  }

  /// The next so many bytes.
  std::string read_exactly(std::size_t size) {
    rt::Timeout limit(generous);
    while (rest_.size() < size) {
      char buffer[4096];
      const auto got = stream.read(buffer);
      if (!got || *got == 0) break;
      rest_.append(buffer, *got);
    }
    const std::string all = rest_.substr(0, size);
    rest_.erase(0, size);
    return all;
  }

  rt::TcpStream stream;

 private:
  std::string rest_;
};

/// The same without the date, which changes.
inline std::string without_date(std::string text) {
  for (std::size_t at; (at = text.find("Date: ")) != text.npos;) text.erase(at, text.find('\n', at) + 1 - at);
  return text;
}

/// A server on which raw answers are given: each connection gets what the function says.
class RawServer {
 public:
  explicit RawServer(std::function<void(rt::TcpStream&)> talk)
      : listener(rt::TcpListener::listen(rt::Address::loopback(0)).value()), address(listener.address()),
        fiber_(rt::spawn([this, talk = std::move(talk)] {
          while (auto stream = listener.accept()) {
            ++connections;
            talk(*stream);
          }
        })) {}
  ~RawServer() {
    (void)listener.shutdown();
    fiber_.join();
  }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(address.port()) + path; }

  rt::TcpListener listener;
  const rt::Address address;
  int connections = 0;

 private:
  rt::Fiber<void> fiber_;
};

/// Reads a request's head from a raw server's connection; empty: the client has gone.
inline std::string read_head(rt::TcpStream& stream) {
  std::string head;
  char byte;
  while (!head.ends_with("\r\n\r\n")) {
    const auto got = stream.read({&byte, 1});
    if (!got || *got == 0) return {};
    head += byte;
  }
  return head;
}

inline void write(rt::TcpStream& stream, const std::string& text) { (void)stream.write(std::span(text)); }

} // namespace http_test
