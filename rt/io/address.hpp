#pragma once
// Address: where a socket is: IPv4, IPv6 or a local (Unix) one.
//
//   127.0.0.1:80                     IPv4 address and port
//   [::1]:80   [fe80::1%2]:80        IPv6 address, with the number of the interface where it is one of a link
//   unix:/run/service                a local one with a path
//   unix:@name                       a local one without: an abstract name, which ends with its socket
//
// That is how addresses are parsed and printed. Names of hosts are the resolver's.

#include <rt/base/format.hpp>
#include <rt/base/result.hpp>
#include <rt/kernel/socket.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace rt {

class Address {
 public:
  using Family = kernel::SocketFamily;
  using Ipv6Bytes = std::array<std::uint8_t, 16>;

  /// No address.
  Address() = default;
  explicit Address(const kernel::SocketAddress& address) : address_(address) {}

  /// host: 127.0.0.1 is 0x7f000001. Port 0: any that is free.
  static Address ipv4(std::uint32_t host, std::uint16_t port);
  /// interface: its number, for an address of a link (fe80::...); else 0.
  static Address ipv6(const Ipv6Bytes& host, std::uint16_t port, std::uint32_t interface = 0);
  /// 127.0.0.1.
  static Address loopback(std::uint16_t port) { return ipv4(0x7f000001, port); }
  /// 0.0.0.0: all of this machine's, for a listener.
  static Address any(std::uint16_t port) { return ipv4(0, port); }
  /// Of at most 107 bytes, none of them 0. filename_too_long, invalid_argument.
  static Result<Address> path(std::string_view path);
  /// Of at most 107 bytes. filename_too_long.
  static Result<Address> abstract(std::string_view name);

  /// As above; invalid_argument, filename_too_long.
  static Result<Address> parse(std::string_view text);
  /// The same of a host without a port: 127.0.0.1, ::1 or [::1].
  static Result<Address> parse(std::string_view host, std::uint16_t port);

  Family family() const { return address_.family; }
  explicit operator bool() const { return address_.size != 0; }

  /// 0 for a local one.
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  /// Of an IPv4 one.
  std::uint32_t ipv4_host() const;
  /// Of an IPv6 one.
  Ipv6Bytes ipv6_host() const;
  std::uint32_t interface() const;
  /// The path of a local one, or its abstract name; empty for one that was given none, as a client has it.
  std::string_view local_name() const;
  bool is_abstract() const;

  /// As the kernel takes it.
  const kernel::SocketAddress& kernel_address() const { return address_; }

  friend bool operator==(const Address& a, const Address& b);
  friend void format_value(Output& out, const Address& address);

 private:
  kernel::SocketAddress address_;
};

} // namespace rt
