#pragma once
// A name server on the loopback interface that says whatever a test wants it to say.

#include "dns_answer.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace dns_test {

using Bytes = std::vector<std::uint8_t>;

/// A question that the server was asked.
struct Asked {
  std::uint16_t id;
  std::string name;
  rt::dns::Type type;
  bool over_tcp;
  std::uint16_t port; // of who asked

  Answer answer(unsigned flags = response) const { return std::move(Answer(id, flags).question(name, type)); }
};

struct Reply {
  Bytes message;
  bool from_elsewhere = false; // from a socket that was not asked

  Reply(const Answer& answer, bool elsewhere = false) : message(answer.bytes), from_elsewhere(elsewhere) {}
  Reply(Bytes bytes) : message(std::move(bytes)) {}
};

class NameServer {
 public:
  using Handler = std::function<std::vector<Reply>(const Asked&)>;

  /// The handler is called in the server's thread, which holds `mutex` meanwhile.
  explicit NameServer(Handler handler) : handler_(std::move(handler)) {
    // UDP and TCP on the same port: the kernel chooses the first, and the second may be taken by somebody else.
    for (int tries = 0; tries < 100 && tcp_ < 0; ++tries) {
      close_if_open(udp_);
      udp_ = bound(SOCK_DGRAM, 0);
      port_ = port_of(udp_);
      tcp_ = bound(SOCK_STREAM, port_);
    }
    elsewhere_ = bound(SOCK_DGRAM, 0);
    if (tcp_ < 0 || listen(tcp_, 16) != 0 || pipe(stop_) != 0) throw std::runtime_error("no port for a name server");
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    close(stop_[1]);
    thread_.join();
    for (const int descriptor : {udp_, tcp_, elsewhere_, stop_[0]}) close(descriptor);
  }
  NameServer(const NameServer&) = delete;

  /// For what a test and its handler share.
  std::mutex mutex;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// How many questions it was asked.
  int questions() const { return questions_; }

  /// Sends a datagram that nobody has asked for; for any thread.
  void send_to(std::uint16_t port, const Bytes& message) const {
    sockaddr_in to = loopback(port);
    sendto(udp_, message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }

  /// A port on which nobody answers.
  static std::uint16_t closed_port() {
    int descriptor = bound(SOCK_DGRAM, 0);
    const std::uint16_t port = port_of(descriptor);
    close(descriptor);
    return port;
  }

 private:
  static void close_if_open(int& descriptor) {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }
  static int bound(int type, std::uint16_t port) {
    int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(port);
    if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) close_if_open(descriptor);
    return descriptor;
  }
  static std::uint16_t port_of(int descriptor) {
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  void serve() {
    for (;;) {
      pollfd all[] = {{stop_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
      poll(all, 3, -1);
      if (all[0].revents) return;
      if (all[1].revents) serve_datagram();
      if (all[2].revents) serve_connection();
    }
  }

  void serve_datagram() {
    std::uint8_t buffer[2048];
    sockaddr_in from = {};
    socklen_t from_size = sizeof from;
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size = recvfrom(udp_, buffer, sizeof buffer, 0, address, &from_size);
    if (size < 0) return;
    for (const Reply& reply : handle({buffer, buffer + size}, false, ntohs(from.sin_port)))
      sendto(reply.from_elsewhere ? elsewhere_ : udp_, reply.message.data(), reply.message.size(), 0, address,
             from_size);
  }

  void serve_connection() {
    const int connection = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    std::uint8_t length[2];
    while (recv(connection, length, 2, MSG_WAITALL) == 2) {
      Bytes message(static_cast<std::size_t>(length[0] << 8 | length[1]));
      if (recv(connection, message.data(), message.size(), MSG_WAITALL) != static_cast<ssize_t>(message.size())) break;
      for (const Reply& reply : handle(message, true, 0)) {
        Bytes framed = {static_cast<std::uint8_t>(reply.message.size() >> 8),
                        static_cast<std::uint8_t>(reply.message.size())};
        framed.insert(framed.end(), reply.message.begin(), reply.message.end());
        if (send(connection, framed.data(), framed.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
    close(connection);
  }

  std::vector<Reply> handle(const Bytes& message, bool over_tcp, std::uint16_t from) {
    ++questions_;
    std::string name;
    std::size_t at = 12;
    for (; message.at(at) != 0; at += 1u + message[at]) {
      if (!name.empty()) name += '.';
      name.append(message.begin() + static_cast<long>(at) + 1,
                  message.begin() + static_cast<long>(at) + 1 + message[at]);
    }
    const std::lock_guard guard(mutex);
    return handler_({static_cast<std::uint16_t>(message[0] << 8 | message[1]), name,
                     static_cast<rt::dns::Type>(message.at(at + 2)), over_tcp, from});
  }

  const Handler handler_;
  int udp_ = -1, tcp_ = -1, elsewhere_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

} // namespace dns_test
