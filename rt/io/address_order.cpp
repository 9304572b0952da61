#include <rt/io/address_order.hpp>

#include <rt/io/udp.hpp>

#include <algorithm>
#include <compare>
#include <vector>

namespace rt {
namespace {

using Family = Address::Family;

/// RFC 6724, section 3.1: how far an address reaches; the numbers are those of multicast addresses.
enum class Scope { link = 0x2, site = 0x5, global = 0xe };

/// An IPv4 address as the IPv6 address that stands for it, ::ffff:192.0.2.1.
Address::Ipv6Bytes as_ipv6(const Address& address) {
  if (address.family() == Family::ipv6) return address.ipv6_host();
  Address::Ipv6Bytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  for (unsigned i = 0; i < 4; ++i) bytes[12 + i] = static_cast<std::uint8_t>(address.ipv4_host() >> (24 - 8 * i));
  return bytes;
}

bool begins_with(const Address::Ipv6Bytes& host, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), host.begin());
}
bool is_mapped(const Address::Ipv6Bytes& host) { return begins_with(host, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}); }
bool is_loopback(const Address::Ipv6Bytes& host) {
  return begins_with(host, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

Scope scope_of(const Address::Ipv6Bytes& host) {
  if (is_mapped(host)) {
    const bool stays_near = host[12] == 127 || (host[12] == 169 && host[13] == 254);
    return stays_near ? Scope::link : Scope::global;
  }
  if (is_loopback(host) || (host[0] == 0xfe && (host[1] & 0xc0) == 0x80)) return Scope::link;
  return host[0] == 0xfe && (host[1] & 0xc0) == 0xc0 ? Scope::site : Scope::global;
}

/// RFC 6724, section 2.1.
int precedence_of(const Address::Ipv6Bytes& host) {
  if (is_loopback(host)) return 50;
  if (is_mapped(host)) return 35;
  if (begins_with(host, {0x20, 0x02})) return 30;      // 6to4
  if (begins_with(host, {0x20, 0x01, 0, 0})) return 5; // Teredo
  if ((host[0] & 0xfe) == 0xfc) return 3;              // of one site (unique local)
  return 40;
}

struct Rank {
  bool has_route;
  bool same_scope;
  int precedence;
  auto operator<=>(const Rank&) const = default;
};

Rank rank_of(const Address& address) {
  const auto host = as_ipv6(address);
  const auto socket = UdpSocket::connect(address); // a route is looked up, and the address to send from
  const bool same_scope = socket && scope_of(as_ipv6(socket->address())) == scope_of(host);
  return {socket.ok(), same_scope, precedence_of(host)};
}

} // namespace

void order_by_reachability(std::span<Address> addresses) {
  if (addresses.size() < 2) return;
  std::vector<Rank> ranks;
  ranks.reserve(addresses.size());
  for (const Address& address : addresses) ranks.push_back(rank_of(address));
  // By insertion: there are few, and what ranks the same stays in its order.
  for (std::size_t i = 1; i < addresses.size(); ++i)
    for (std::size_t j = i; j > 0 && ranks[j] > ranks[j - 1]; --j) {
      std::swap(ranks[j], ranks[j - 1]);
      std::swap(addresses[j], addresses[j - 1]);
    }
}

} // namespace rt
