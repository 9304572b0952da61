#include <rt/io/udp.hpp>

namespace rt {
namespace {

Result<Fd> make(const Address& address) {
  if (address.family() == Address::Family::local) return Errc::address_family_not_supported;
  const Result<int> socket = kernel::make_socket(address.family(), kernel::SocketType::datagram);
  if (!socket) return socket.error();
  return Fd(*socket);
}

} // namespace

Result<UdpSocket> UdpSocket::bind(const Address& address) {
  Result<Fd> fd = make(address);
  if (!fd) return fd.error();
  if (const auto bound = kernel::bind_socket(fd->number(), address.kernel_address()); !bound) return bound.error();
  return UdpSocket(std::move(*fd));
}

Result<UdpSocket> UdpSocket::connect(const Address& address) {
  Result<Fd> fd = make(address);
  if (!fd) return fd.error();
  // Only notes the address, and does not wait.
  if (const auto noted = kernel::connect_socket(fd->number(), address.kernel_address()); !noted) return noted.error();
  return UdpSocket(std::move(*fd));
}

Result<void> UdpSocket::send_to(std::span<const char> message, const Address& to) {
  return patiently(Ready::write, [&] { return kernel::send_datagram(number(), message, to.kernel_address()); }).error();
}

Result<void> UdpSocket::send(std::span<const char> message) {
  return patiently(Ready::write, [&] { return kernel::send_bytes(number(), message); }).error();
}

Result<UdpSocket::Received> UdpSocket::receive_from(std::span<char> buffer) {
  const auto got = patiently(Ready::read, [&] { return kernel::receive_datagram(number(), buffer); });
  if (!got) return got.error();
  return Received{got->size, Address(got->from)};
}

Result<std::size_t> UdpSocket::receive(std::span<char> buffer) {
  const Result<Received> got = receive_from(buffer);
  if (!got) return got.error();
  return got->size;
}

} // namespace rt
