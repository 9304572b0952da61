#include <rt/kernel/socket.hpp>

#include <arch/syscall.hpp>
#include <bit>
#include <linux/fcntl.h>
#include <linux/in.h>

namespace rt::kernel {
namespace {

// AF_INET, SOCK_STREAM, MSG_NOSIGNAL: the same on all CPUs but mips. SOCK_NONBLOCK and SOCK_CLOEXEC are O_NONBLOCK and
// O_CLOEXEC on all but three.
constexpr int inet = 2, stream = 1, no_signal = 0x4000;

constexpr int flags(Blocking blocking) { return O_CLOEXEC | (blocking == Blocking::no ? O_NONBLOCK : 0); }

template <class T> constexpr T in_network_order(T value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  return sizeof value == 2 ? static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)))
                           : static_cast<T>(__builtin_bswap32(value));
}

sockaddr_in encode(Ipv4Address address) {
  sockaddr_in encoded = {};
  encoded.sin_family = inet;
  encoded.sin_port = in_network_order(address.port);
  encoded.sin_addr.s_addr = in_network_order(address.host);
  return encoded;
}

} // namespace

Result<int> make_tcp_socket(Blocking blocking) {
  const long result = arch::syscall(__NR_socket, inet, stream | flags(blocking), 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> bind_socket(int socket, Ipv4Address address) {
  const sockaddr_in encoded = encode(address);
  return Error::from_kernel(arch::syscall(__NR_bind, socket, reinterpret_cast<long>(&encoded), sizeof encoded));
}

Result<void> listen_on_socket(int socket, int backlog) {
  return Error::from_kernel(arch::syscall(__NR_listen, socket, backlog));
}

Result<Ipv4Address> address_of_socket(int socket) {
  sockaddr_in encoded = {};
  int size = sizeof encoded;
  const long result =
      arch::syscall(__NR_getsockname, socket, reinterpret_cast<long>(&encoded), reinterpret_cast<long>(&size));
  if (result < 0) return Error::from_kernel(result);
  return Ipv4Address{in_network_order(encoded.sin_addr.s_addr), in_network_order(encoded.sin_port)};
}

Result<int> accept_connection(int socket, Blocking blocking) {
  const long result = arch::syscall(__NR_accept4, socket, 0, 0, flags(blocking));
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> connect_socket(int socket, Ipv4Address address) {
  const sockaddr_in encoded = encode(address);
  return Error::from_kernel(arch::syscall(__NR_connect, socket, reinterpret_cast<long>(&encoded), sizeof encoded));
}

Result<std::size_t> send_to_socket(int socket, std::span<const char> bytes) {
  const long result = arch::syscall(__NR_sendto, socket, reinterpret_cast<long>(bytes.data()),
                                    static_cast<long>(bytes.size()), no_signal, 0, 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<std::size_t>(result);
}

} // namespace rt::kernel
