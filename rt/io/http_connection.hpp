#pragma once
// One connection of a Server: what its fiber does.

#include <rt/io/fd.hpp>
#include <rt/io/http_server.hpp>
#include <rt/io/http_wire.hpp>

namespace rt::http {

class Connection : public ConnectionLink {
 public:
  Connection(Server& server, Fd socket);
  ~Connection();

  void run();

  /// Ends the wait for a request. To be called for one that is idle.
  void close_idle() { (void)kernel::shut_down_socket(socket_.number(), kernel::ShutDown::reading); }

 private:
  friend class Request;
  friend class Reply;

  // How the wait for a head ended.
  enum class Head : std::uint8_t { complete, refused, none };

  Head receive_head(RequestParser& parser);
  /// Waits for the beginning of a request. False: the connection is to be closed.
  bool wait_idle();
  /// False: the connection cannot be used on.
  bool answer(RequestParser& parser);
  void refuse(unsigned status);
  void linger();

  /// All of the pieces.
  Result<void> send(std::span<kernel::Piece> pieces, Pace& pace, kernel::More more = kernel::More::no);
  Result<void> send_file(int file, std::uint64_t offset, std::uint64_t size, Pace& pace);
  Result<void> receive_input(Pace& pace);
  Pace new_pace() const { return {options().stall_timeout, options().least_rate}; }
  bool stopping() const { return server_.stopping_.load(std::memory_order_relaxed) != 0; }

  const ServerOptions& options() const { return server_.options_; }

  Server& server_;
  const Fd socket_;
  Buffer input_;
  Request* request_ = nullptr; // that is being answered
  bool keep_ = true;
  bool broken_ = false; // nothing can be sent any more
};

} // namespace rt::http
