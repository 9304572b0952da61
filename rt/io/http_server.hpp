#pragma once
// Server: answers HTTP/1.1 and 1.0, with a fiber for each connection.
//
//   rt::http::Server server([](rt::http::Request& request, rt::http::Reply& reply) {
//     if (request.path() == "/") return (void)reply.send(200, "text/plain", "hello\n");
//     (void)reply.send(404, "text/plain", "not found\n");
//   });
//   server.serve(listener);            // until another fiber or thread calls server.stop()
//
// The handler runs in the connection's fiber and may block. Connections are kept, requests that come before the answer
// to the one before (pipelining) are answered in order, and what a handler leaves open is completed: a body that it did
// not read is read away or ends the connection, an answer that it did not end is ended, and one that it did not begin
// is 500.
//
// What comes is not trusted. What is no HTTP is answered with 400, 413, 414, 417, 431, 501 or 505, and too slow a head
// with 408, before the connection is closed. A client that takes or sends less than `least_rate` bytes per second in
// the long run, goes away or resets the connection ends its own connection and no other.

#include <rt/io/http_request.hpp>
#include <rt/io/socket.hpp>

#include <rt/base/atomic.hpp>
#include <rt/hub/group.hpp>
#include <rt/sync/event.hpp>

#include <functional>

namespace rt::http {

struct ServerOptions {
  Limits limits = {.body = 1024 * 1024};
  std::chrono::nanoseconds head_timeout = std::chrono::seconds(10); ///< for a head, from its first byte on
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60); ///< between requests
  /// That a client may stand still while it sends a body or takes an answer; less if it has trickled before.
  std::chrono::nanoseconds stall_timeout = std::chrono::seconds(30);
  std::uint32_t least_rate = 1024;                                  ///< bytes per second
  std::chrono::nanoseconds stop_timeout = std::chrono::seconds(10); ///< that running requests have after stop()
  std::size_t connections = 20'000;                                 ///< at the same time; others wait to be accepted
};

class Server {
 public:
  using Handler = std::function<void(Request&, Reply&)>;

  explicit Server(Handler handler) : Server(ServerOptions(), std::move(handler)) {}
  Server(const ServerOptions& options, Handler handler) : options_(options), handler_(std::move(handler)) {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Takes connections and serves them until stop(). Then idle connections are closed,
  /// and running requests get `stop_timeout` to end; what blocks in them is canceled after that. Errors of accept(2)
  /// that concern a connection are passed over; where descriptors or memory run out, idle connections are closed.
  /// The calling task is blocked; canceled, timed_out: as if stop() had been called.
  /// The listener takes no more connections afterwards.
  Result<void> serve(StreamListener& listener);

  /// Ends serve(), now or when it is called. By any thread; the listener has to be open.
  void stop();

  /// Connections that are open.
  std::size_t connections() const { return count_; }
  /// Requests answered so far.
  std::uint64_t requests() const { return requests_; }

 private:
  friend class Connection;
  friend class Reply;

  Result<void> accept_all(int listener, Group& group);
  Result<void> accept_one(int listener, Group& group);
  bool close_an_idle_one();
  void end_connections(Group& group);
  /// Of now, read anew once a second.
  std::string_view date();

  const ServerOptions options_;
  const Handler handler_;
  ConnectionLink idle_;       // of those that wait for a request; the longest first
  Event room_;                // set when a connection has ended
  Atomic<int> listener_ = -1; // while it is served
  Atomic<std::uint32_t> stopping_ = 0;
  std::size_t count_ = 0;
  std::uint64_t requests_ = 0;
  std::int64_t date_second_ = -1;
  char date_[29] = {};
};

} // namespace rt::http
