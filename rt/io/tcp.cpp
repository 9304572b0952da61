#include <rt/io/tcp.hpp>

#include <linux/in.h>
#include <linux/tcp.h>

namespace rt {

Result<TcpStream> TcpStream::connect(const Address& address, std::chrono::nanoseconds timeout) {
  Result<Fd> fd = sockets::connect(address, Deadline::after(timeout));
  if (!fd) return fd.error();
  TcpStream stream(std::move(*fd));
  if (const auto set = stream.set_nodelay(true); !set) return set.error();
  return stream;
}

Result<TcpStream> TcpStream::connect(std::string_view address, std::chrono::nanoseconds timeout) {
  const Result<Address> parsed = Address::parse(address);
  if (!parsed) return parsed.error();
  return connect(*parsed, timeout);
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
