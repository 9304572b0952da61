#include <rt/kernel/stream_io.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/uio.h>

namespace rt::kernel {
namespace {

// The same on all CPUs but mips, alpha, parisc and sparc.
constexpr int no_signal = 0x4000, do_not_wait = 0x40; // MSG_NOSIGNAL, MSG_DONTWAIT

constexpr long flags(Blocking blocking) { return blocking == Blocking::yes ? 0 : do_not_wait; }

Result<std::size_t> size_or_error(long result) {
  if (result < 0) return Error::from_kernel(result);
  return static_cast<std::size_t>(result);
}

/// The kernel's struct user_msghdr, which no header of it exports.
struct MessageHeader {
  void* name;
  int name_size;
  iovec* parts;
  std::size_t count;
  void* control;
  std::size_t control_size;
  unsigned flags;
};

} // namespace

Result<SocketPair> make_blocking_pair() {
  const auto pair = make_socket_pair(SocketType::stream);
  if (!pair) return pair;
  for (const int socket : {pair->first, pair->second}) make_blocking(socket).value();
  return pair;
}

Result<void> make_blocking(int socket) {
  const long flags = arch::syscall(__NR_fcntl, socket, F_GETFL);
  if (flags < 0) return Error::from_kernel(flags);
  return Error::from_kernel(arch::syscall(__NR_fcntl, socket, F_SETFL, flags & ~O_NONBLOCK));
}

Result<std::size_t> send_stream(int socket, std::span<const char> head, std::span<const char> rest, Blocking blocking) {
  if (rest.empty())
    return size_or_error(arch::syscall(__NR_sendto, socket, reinterpret_cast<long>(head.data()),
                                       static_cast<long>(head.size()), no_signal | flags(blocking), 0, 0));
  iovec parts[] = {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(rest.data()), rest.size()}};
  const MessageHeader header = {nullptr, 0, parts, 2, nullptr, 0, 0};
  return size_or_error(
      arch::syscall(__NR_sendmsg, socket, reinterpret_cast<long>(&header), no_signal | flags(blocking)));
}

Result<std::size_t> receive_stream(int socket, std::span<char> buffer, Blocking blocking) {
  return size_or_error(arch::syscall(__NR_recvfrom, socket, reinterpret_cast<long>(buffer.data()),
                                     static_cast<long>(buffer.size()), flags(blocking), 0, 0));
}

} // namespace rt::kernel
