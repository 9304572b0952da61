#include <rt/io/address.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

namespace rt {
namespace {

using kernel::SocketAddress, kernel::SocketFamily;

// The rest of the kernel's structures after the family, numbers in network order.
struct Ipv4Rest { // struct sockaddr_in
  std::uint8_t port[2];
  std::uint8_t host[4];
  char zero[8];
};
struct Ipv6Rest { // struct sockaddr_in6
  std::uint8_t port[2];
  std::uint8_t flow[4];
  std::uint8_t host[16];
  std::uint32_t interface; // in the CPU's order
};
constexpr std::size_t path_capacity = SocketAddress::capacity - sizeof(SocketFamily);

template <class Rest> Rest rest_of(const SocketAddress& address) {
  Rest rest;
  std::memcpy(&rest, address.rest, sizeof rest);
  return rest;
}
template <class Rest> SocketAddress make(SocketFamily family, const Rest& rest) {
  SocketAddress address;
  address.family = family;
  std::memcpy(address.rest, &rest, sizeof rest);
  address.size = sizeof family + sizeof rest;
  return address;
}

bool is_ip(SocketFamily family) { return family == SocketFamily::ipv4 || family == SocketFamily::ipv6; }

/// A decimal number up to `most`, without superfluous zeros in front.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return {};
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > most) return {};
  return static_cast<std::uint32_t>(value);
}

/// Takes what is before the separator, or all, off the text.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return taken;
}

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  if (std::ranges::count(text, '.') != 3) return {};
  std::uint32_t host = 0;
  for (int i = 0; i < 4; ++i) {
    const auto byte = parse_number(take_until(text, '.'), 255);
    if (!byte) return {};
    host = host << 8 | *byte;
  }
  return host;
}

std::optional<std::uint32_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return {};
  std::uint32_t value = 0;
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9')
      value = value * 16 + static_cast<unsigned>(c - '0');
    else if (lower >= 'a' && lower <= 'f')
      value = value * 16 + static_cast<unsigned>(lower - 'a' + 10);
    else
      return {};
  }
  return value;
}

/// Groups of one side of "::", the last of the address perhaps an IPv4 one. Returns how many bytes they are.
std::optional<std::size_t> parse_groups(std::string_view text, bool last, std::span<std::uint8_t, 16> bytes) {
  std::size_t size = 0;
  if (text.empty()) return size;
  for (bool more = true; more;) {
    more = text.find(':') != text.npos;
    const std::string_view part = take_until(text, ':');
    if (last && !more && part.find('.') != part.npos) {
      const auto host = parse_ipv4(part);
      if (!host || size > 12) return {};
      for (int shift = 24; shift >= 0; shift -= 8) bytes[size++] = static_cast<std::uint8_t>(*host >> shift);
      return size;
    }
    const auto group = parse_group(part);
    if (!group || size > 14) return {};
    bytes[size++] = static_cast<std::uint8_t>(*group >> 8);
    bytes[size++] = static_cast<std::uint8_t>(*group);
  }
  return size;
}

/// RFC 4291, section 2.2.
std::optional<Address::Ipv6Bytes> parse_ipv6(std::string_view text) {
  Address::Ipv6Bytes head{}, tail{};
  const std::size_t gap = text.find("::");
  if (gap == text.npos) {
    const auto size = parse_groups(text, true, head);
    if (!size || *size != 16) return {};
    return head;
  }
  const auto before = parse_groups(text.substr(0, gap), false, head);
  const auto after = parse_groups(text.substr(gap + 2), true, tail);
  if (!before || !after || *before + *after > 14) return {};
  std::copy_n(tail.begin(), *after, head.end() - static_cast<std::ptrdiff_t>(*after));
  return head;
}

Result<Address> parse_ipv6_with_interface(std::string_view text, std::uint16_t port) {
  const std::size_t sign = text.find('%');
  const auto host = parse_ipv6(text.substr(0, sign));
  const auto interface = sign == text.npos ? 0u : parse_number(text.substr(sign + 1), UINT32_MAX);
  if (!host || !interface) return Errc::invalid_argument;
  return Address::ipv6(*host, port, *interface);
}

/// RFC 5952: without leading zeros, the longest run of zero groups, the first of them, as "::".
void put_ipv6(Output& out, const Address::Ipv6Bytes& bytes) {
  const auto group = [&](std::size_t i) { return bytes[2 * i] << 8 | bytes[2 * i + 1]; };
  std::size_t gap = 8, gap_size = 1; // a single group is no run
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t size = 0;
    while (i + size < 8 && group(i + size) == 0) ++size;
    if (size > gap_size) gap = i, gap_size = size;
    if (size > 0) i += size - 1;
  }
  const bool mapped = gap == 0 && gap_size == 5 && group(5) == 0xffff; // an IPv4 one
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      out.put("::");
      i += gap_size - 1;
      continue;
    }
    if (i > 0 && i != gap + gap_size) out.put(':');
    if (mapped && i == 6) return format_to(out, "{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
    format_to(out, "{:x}", group(i));
  }
}

} // namespace

Address Address::ipv4(std::uint32_t host, std::uint16_t port) {
  Ipv4Rest rest{};
  for (int i = 0; i < 2; ++i) rest.port[i] = static_cast<std::uint8_t>(port >> (8 - 8 * i));
  for (int i = 0; i < 4; ++i) rest.host[i] = static_cast<std::uint8_t>(host >> (24 - 8 * i));
  return Address(make(Family::ipv4, rest));
}

Address Address::ipv6(const Ipv6Bytes& host, std::uint16_t port, std::uint32_t interface) {
  Ipv6Rest rest{};
  for (int i = 0; i < 2; ++i) rest.port[i] = static_cast<std::uint8_t>(port >> (8 - 8 * i));
  std::ranges::copy(host, rest.host);
  rest.interface = interface;
  return Address(make(Family::ipv6, rest));
}

Result<Address> Address::path(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos) return Errc::invalid_argument;
  if (path.size() >= path_capacity) return Errc::filename_too_long;
  Address made;
  made.address_.family = Family::local;
  path.copy(made.address_.rest, path.size());
  made.address_.size = static_cast<std::uint32_t>(sizeof(Family) + path.size() + 1);
  return made;
}

Result<Address> Address::abstract(std::string_view name) {
  if (name.size() >= path_capacity) return Errc::filename_too_long;
  Address made;
  made.address_.family = Family::local;
  name.copy(made.address_.rest + 1, name.size());
  made.address_.size = static_cast<std::uint32_t>(sizeof(Family) + 1 + name.size());
  return made;
}

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:@")) return abstract(text.substr(6));
  if (text.starts_with("unix:")) return path(text.substr(5));
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return Errc::invalid_argument;
  const auto port = parse_number(text.substr(colon + 1), 65535);
  const std::string_view host = text.substr(0, colon);
  // Without brackets the last group of an IPv6 address would be taken for a port.
  if (!port || (host.find(':') != host.npos && !host.starts_with('['))) return Errc::invalid_argument;
  return parse(host, static_cast<std::uint16_t>(*port));
}

Result<Address> Address::parse(std::string_view host, std::uint16_t port) {
  if (const auto number = parse_ipv4(host)) return ipv4(*number, port);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return Errc::invalid_argument;
    host = host.substr(1, host.size() - 2);
  }
  return parse_ipv6_with_interface(host, port);
}

std::uint16_t Address::port() const {
  if (!is_ip(family())) return 0;
  const auto byte = [&](int i) { return static_cast<std::uint8_t>(address_.rest[i]); };
  return static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
}

void Address::set_port(std::uint16_t port) {
  if (!is_ip(family())) return;
  for (int i = 0; i < 2; ++i) address_.rest[i] = static_cast<char>(port >> (8 - 8 * i));
}

std::uint32_t Address::ipv4_host() const {
  const auto rest = rest_of<Ipv4Rest>(address_);
  return std::uint32_t{rest.host[0]} << 24 | std::uint32_t{rest.host[1]} << 16 | std::uint32_t{rest.host[2]} << 8 |
         rest.host[3];
}

Address::Ipv6Bytes Address::ipv6_host() const {
  Ipv6Bytes bytes;
  std::ranges::copy(rest_of<Ipv6Rest>(address_).host, bytes.begin());
  return bytes;
}

std::uint32_t Address::interface() const {
  return family() == Family::ipv6 ? rest_of<Ipv6Rest>(address_).interface : 0;
}

bool Address::is_abstract() const {
  return family() == Family::local && address_.size > sizeof(Family) && address_.rest[0] == '\0';
}

std::string_view Address::local_name() const {
  if (family() != Family::local || address_.size <= sizeof(Family)) return {};
  const std::string_view rest(address_.rest, std::min<std::size_t>(address_.size - sizeof(Family), path_capacity));
  return is_abstract() ? rest.substr(1) : rest.substr(0, rest.find('\0'));
}

bool operator==(const Address& a, const Address& b) {
  if (a.family() != b.family()) return false;
  switch (a.family()) {
  case Address::Family::none: return true;
  case Address::Family::ipv4: return a.ipv4_host() == b.ipv4_host() && a.port() == b.port();
  case Address::Family::ipv6:
    return a.ipv6_host() == b.ipv6_host() && a.port() == b.port() && a.interface() == b.interface();
  default: return a.is_abstract() == b.is_abstract() && a.local_name() == b.local_name();
  }
}

void format_value(Output& out, const Address& address) {
  switch (address.family()) {
  case Address::Family::ipv4: {
    const std::uint32_t host = address.ipv4_host();
    return format_to(out, "{}.{}.{}.{}:{}", host >> 24, host >> 16 & 255, host >> 8 & 255, host & 255, address.port());
  }
  case Address::Family::ipv6:
    out.put('[');
    put_ipv6(out, address.ipv6_host());
    if (address.interface() != 0) format_to(out, "%{}", address.interface());
    return format_to(out, "]:{}", address.port());
  case Address::Family::local:
    return format_to(out, "unix:{}{}", address.is_abstract() ? "@" : "", address.local_name());
  default: return out.put("no address");
  }
}

} // namespace rt
