#include <rt/io/tcp.hpp>

#include <rt/hub/timeout.hpp>
#include <rt/io/resolver.hpp>

#include <linux/in.h>
#include <linux/tcp.h>

namespace rt {
namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return Errc::invalid_argument;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return Errc::invalid_argument;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port > 65535) return Errc::invalid_argument;
  return static_cast<std::uint16_t>(port);
}

} // namespace

Result<TcpStream> TcpStream::connect(const Address& address, std::chrono::nanoseconds timeout) {
  Result<Fd> fd = sockets::connect(address, Deadline::after(timeout));
  if (!fd) return fd.error();
  TcpStream stream(std::move(*fd));
  if (const auto set = stream.set_nodelay(true); !set) return set.error();
  return stream;
}

Result<TcpStream> TcpStream::connect(std::string_view address, std::chrono::nanoseconds timeout) {
  if (const Result<Address> parsed = Address::parse(address)) return connect(*parsed, timeout);
  const std::size_t colon = address.rfind(':');
  if (colon == address.npos) return Errc::invalid_argument;
  const std::string_view host = address.substr(0, colon);
  const Result<std::uint16_t> port = parse_port(address.substr(colon + 1));
  if (!port || host.find(':') != host.npos) return Errc::invalid_argument;

  const Timeout limit(timeout);
  const Result<std::vector<Address>> found = resolve(host, *port);
  if (!found) return found.error();
  Error error;
  for (const Address& candidate : *found) {
    Result<TcpStream> stream = connect(candidate);
    if (stream) return stream;
    error = stream.error();
    if (error == Errc::canceled || Deadline().limited_to(current_task().limit).passed()) break;
  }
  return error;
}

Result<void> TcpStream::set_nodelay(bool nodelay) { return set_option(IPPROTO_TCP, TCP_NODELAY, nodelay); }

// Connections have the option from their listener.
Result<TcpListener> TcpListener::listen(const Address& address, const ListenOptions& options) {
  if (address.family() == Address::Family::local) return Errc::address_family_not_supported;
  TcpListener listener;
  if (const auto begun = begin(listener, address, options); !begun) return begun.error();
  if (const auto set = listener.set_option(IPPROTO_TCP, TCP_NODELAY, 1); !set) return set.error();
  return listener;
}

Result<TcpStream> TcpListener::accept() {
  Result<Fd> fd = accept_descriptor();
  if (!fd) return fd.error();
  return TcpStream(std::move(*fd));
}

} // namespace rt
