#pragma once
// UdpSocket: messages over IPv4 and IPv6, each on its own: they may be lost, doubled, or come in another order. How it
// waits is told in socket.hpp.

#include <rt/io/socket.hpp>

namespace rt {

class UdpSocket : public Socket {
 public:
  UdpSocket() = default;

  /// Takes messages for the address from now on. address_in_use.
  [[nodiscard]] static Result<UdpSocket> bind(const Address& address);
  /// Takes messages from that address only, and sends to it, from a port that is free.
  [[nodiscard]] static Result<UdpSocket> connect(const Address& address);

  /// A message that is longer than the network takes: message_size.
  [[nodiscard]] Result<void> send_to(std::span<const char> message, const Address& to);
  /// Of a connected one. connection_refused: nobody took an earlier one.
  [[nodiscard]] Result<void> send(std::span<const char> message);

  struct Received {
    std::size_t size; ///< of the message. Of one that is longer than the buffer the rest is lost.
    Address from;
  };
  [[nodiscard]] Result<Received> receive_from(std::span<char> buffer);
  /// The same without the sender.
  [[nodiscard]] Result<std::size_t> receive(std::span<char> buffer);

 private:
  explicit UdpSocket(Fd fd) : Socket(std::move(fd)) {}
};

} // namespace rt
