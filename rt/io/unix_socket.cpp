#include <rt/io/unix_socket.hpp>

namespace rt {
namespace {

bool is_local(const Address& address) { return address.family() == Address::Family::local; }

/// Removes the socket of a server that has gone. False: there is none, or it still serves.
bool remove_abandoned(const Address& address) {
  if (address.is_abstract()) return false;
  char path[kernel::SocketAddress::capacity] = {};
  address.local_name().copy(path, sizeof path - 1);
  const auto status = kernel::path_status(path);
  if (!status || !status->is_socket()) return false;
  const Result<Fd> answer = sockets::connect(address, Deadline::at(1));
  return answer.error() == Errc::connection_refused && kernel::remove_file(path).ok();
}

} // namespace

Result<UnixStream> UnixStream::connect(const Address& address, std::chrono::nanoseconds timeout) {
  if (!is_local(address)) return Errc::address_family_not_supported;
  Result<Fd> fd = sockets::connect(address, Deadline::after(timeout));
  if (!fd) return fd.error();
  return UnixStream(std::move(*fd));
}

Result<UnixStream> UnixStream::connect(std::string_view address, std::chrono::nanoseconds timeout) {
  const Result<Address> parsed = Address::parse(address);
  if (!parsed) return parsed.error();
  return connect(*parsed, timeout);
}

Result<std::pair<UnixStream, UnixStream>> UnixStream::pair() {
  const Result<kernel::SocketPair> made = kernel::make_socket_pair(kernel::SocketType::stream);
  if (!made) return made.error();
  return std::pair(UnixStream(Fd(made->first)), UnixStream(Fd(made->second)));
}

Result<void> UnixStream::write_with_descriptors(std::span<const char> bytes, std::span<const int> descriptors) {
  if (bytes.empty()) return Errc::invalid_argument;
  const auto put = patiently(Ready::write, [&] { return kernel::send_descriptors(number(), bytes, descriptors); });
  return put ? write(bytes.subspan(*put)) : put.error();
}

Result<UnixStream::Received> UnixStream::read_with_descriptors(std::span<char> buffer, std::span<Fd> descriptors) {
  int numbers[kernel::most_passed_descriptors];
  const auto room = std::span(numbers).first(std::min(descriptors.size(), std::size(numbers)));
  const auto got = patiently(Ready::read, [&] { return kernel::receive_descriptors(number(), buffer, room); });
  if (!got) return got.error();
  for (std::size_t i = 0; i < got->descriptors; ++i) descriptors[i] = Fd(numbers[i]);
  if (got->complete) return Received{got->bytes, got->descriptors};
  for (std::size_t i = 0; i < got->descriptors; ++i) descriptors[i].close();
  return Errc::message_size;
}

Result<UnixListener> UnixListener::listen(const Address& address, const ListenOptions& options) {
  if (!is_local(address)) return Errc::address_family_not_supported;
  UnixListener listener;
  Result<void> begun = begin(listener, address, options);
  if (begun.error() == Errc::address_in_use && remove_abandoned(address)) begun = begin(listener, address, options);
  if (!begun) return begun.error();
  return listener;
}

Result<UnixStream> UnixListener::accept() {
  Result<Fd> fd = accept_descriptor();
  if (!fd) return fd.error();
  return UnixStream(std::move(*fd));
}

} // namespace rt
