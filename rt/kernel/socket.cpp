#include <rt/kernel/socket.hpp>

#include <rt/kernel/file.hpp>
#include <rt/kernel/message.hpp>
#include <rt/kernel/returned.hpp>

#include <arch/syscall.hpp>
#include <asm/errno.h>
#include <asm/socket.h>
#include <linux/fcntl.h>

#include <algorithm>
#include <cstring>

namespace rt::kernel {
namespace {

// The same on all CPUs but mips; no header of the kernel exports them.
constexpr int dont_block = O_NONBLOCK | O_CLOEXEC; // SOCK_NONBLOCK, SOCK_CLOEXEC
constexpr int rights = 1;                          // SCM_RIGHTS

template <class T> long address(T* object) { return reinterpret_cast<long>(object); }

Result<int> number(long result) {
  if (result < 0) return Error::from_kernel(result);
  return keep_from_standard(static_cast<int>(result));
}
Result<void> done(long result) { return Error::from_kernel(result < 0 ? result : 0); }

using NameCall = long(int socket, SocketAddress* address, int* size);

Result<SocketAddress> name_of_socket(long call, int socket) {
  SocketAddress found;
  int size = SocketAddress::capacity;
  const long result = arch::syscall(call, socket, address(&found), address(&size));
  if (result < 0) return Error::from_kernel(result);
  found.size = std::min<std::uint32_t>(static_cast<std::uint32_t>(size), SocketAddress::capacity);
  return found;
}

struct ControlHead { // struct cmsghdr
  std::size_t size;
  int level;
  int type;
};
struct Control {
  ControlHead head;
  int descriptors[most_passed_descriptors];
};

} // namespace

Result<int> make_socket(SocketFamily family, SocketType type) {
  return number(arch::syscall(__NR_socket, static_cast<long>(family), static_cast<long>(type) | dont_block, 0));
}

Result<SocketPair> make_socket_pair(SocketType type) {
  SocketPair pair;
  const long result = arch::syscall(__NR_socketpair, static_cast<long>(SocketFamily::local),
                                    static_cast<long>(type) | dont_block, 0, address(&pair));
  if (result < 0) return Error::from_kernel(result);
  const Result<int> first = keep_from_standard(pair.first), second = keep_from_standard(pair.second);
  if (first && second) return SocketPair{*first, *second};
  for (const Result<int>& end : {first, second})
    if (end) (void)close_file(*end);
  return first ? second.error() : first.error();
}

Result<void> bind_socket(int socket, const SocketAddress& name) {
  return done(arch::syscall(__NR_bind, socket, address(&name), name.size));
}

Result<void> listen_on_socket(int socket, int backlog) { return done(arch::syscall(__NR_listen, socket, backlog)); }

Result<SocketAddress> address_of_socket(int socket) { return name_of_socket(__NR_getsockname, socket); }
Result<SocketAddress> peer_of_socket(int socket) { return name_of_socket(__NR_getpeername, socket); }

Result<int> accept_connection(int socket) { return number(arch::syscall(__NR_accept4, socket, 0, 0, dont_block)); }

// accept(2), "Error handling": what has happened to the network under a connection is told by accept as its own.
bool is_of_connection(Error error) {
  switch (static_cast<int>(error.code)) {
  case ECONNABORTED:
  case EPROTO:
  case ENETDOWN:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case ENETUNREACH: return true;
  default: return false;
  }
}

Result<void> connect_socket(int socket, const SocketAddress& name) {
  return done(arch::syscall(__NR_connect, socket, address(&name), name.size));
}

Error socket_error(int socket) {
  const Result<int> code = socket_option(socket, SOL_SOCKET, SO_ERROR);
  return code ? Error{static_cast<Errc>(*code)} : code.error();
}

Result<void> shut_down_socket(int socket, ShutDown what) {
  return done(arch::syscall(__NR_shutdown, socket, static_cast<long>(what)));
}

Result<void> set_socket_option(int socket, int level, int option, int value) {
  return done(arch::syscall(__NR_setsockopt, socket, level, option, address(&value), sizeof value));
}

Result<int> socket_option(int socket, int level, int option) {
  int value = 0;
  int size = sizeof value;
  const long result = arch::syscall(__NR_getsockopt, socket, level, option, address(&value), address(&size));
  if (result < 0) return Error::from_kernel(result);
  return value;
}

Result<std::size_t> receive_bytes(int socket, std::span<char> buffer) {
  return returned<std::size_t>(
      arch::syscall(__NR_recvfrom, socket, address(buffer.data()), static_cast<long>(buffer.size()), 0, 0, 0));
}

Result<std::size_t> send_bytes(int socket, std::span<const char> bytes) {
  return returned<std::size_t>(arch::syscall(__NR_sendto, socket, address(bytes.data()),
                                             static_cast<long>(bytes.size()), message_flag::no_signal, 0, 0));
}

Result<std::size_t> send_datagram(int socket, std::span<const char> bytes, const SocketAddress& to) {
  return returned<std::size_t>(arch::syscall(__NR_sendto, socket, address(bytes.data()),
                                             static_cast<long>(bytes.size()), message_flag::no_signal, address(&to),
                                             to.size));
}

Result<ReceivedDatagram> receive_datagram(int socket, std::span<char> buffer) {
  ReceivedDatagram received{};
  int size = SocketAddress::capacity;
  const long result = arch::syscall(__NR_recvfrom, socket, address(buffer.data()), static_cast<long>(buffer.size()),
                                    message_flag::real_size, address(&received.from), address(&size));
  if (result < 0) return Error::from_kernel(result);
  received.size = static_cast<std::size_t>(result);
  received.from.size = static_cast<std::uint32_t>(size);
  return received;
}

Result<std::size_t> send_descriptors(int socket, std::span<const char> bytes, std::span<const int> descriptors) {
  if (descriptors.size() > most_passed_descriptors) return Errc::invalid_argument;
  Control control;
  control.head = {sizeof(ControlHead) + descriptors.size_bytes(), SOL_SOCKET, rights};
  std::ranges::copy(descriptors, control.descriptors);
  const Piece piece(bytes);
  Message message{.pieces = &piece, .piece_count = 1};
  if (!descriptors.empty()) {
    message.control = &control;
    message.control_size = control.head.size;
  }
  return returned<std::size_t>(arch::syscall(__NR_sendmsg, socket, address(&message), message_flag::no_signal));
}

Result<ReceivedDescriptors> receive_descriptors(int socket, std::span<char> buffer, std::span<int> descriptors) {
  Control control;
  control.head = {};
  const std::size_t room = std::min(descriptors.size(), most_passed_descriptors);
  const Piece piece{std::span<const char>(buffer)};
  Message message{.pieces = &piece, .piece_count = 1, .control = &control};
  message.control_size = sizeof(ControlHead) + room * sizeof(int);
  const long result = arch::syscall(__NR_recvmsg, socket, address(&message), message_flag::close_on_exec);
  if (result < 0) return Error::from_kernel(result);
  ReceivedDescriptors received{static_cast<std::size_t>(result), 0, (message.flags & message_flag::control_lost) == 0};
  const bool came =
      message.control_size >= sizeof(ControlHead) && control.head.level == SOL_SOCKET && control.head.type == rights;
  // The kernel fills what there is room for, which the alignment of control messages may add one to.
  if (came) received.descriptors = std::min((control.head.size - sizeof(ControlHead)) / sizeof(int), room);
  std::copy_n(control.descriptors, received.descriptors, descriptors.begin());
  return received;
}

} // namespace rt::kernel
