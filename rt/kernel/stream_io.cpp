#include <rt/kernel/stream_io.hpp>

#include <rt/kernel/returned.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>

namespace rt::kernel {
namespace {

constexpr long waiting(Blocking blocking) { return blocking == Blocking::yes ? 0 : message_flag::do_not_wait; }

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

Result<std::size_t> send_pieces(int socket, std::span<const Piece> pieces, Blocking blocking, More more) {
  const long flags = message_flag::no_signal | waiting(blocking) | (more == More::yes ? message_flag::more_follows : 0);
  if (pieces.size() == 1)
    return returned<std::size_t>(arch::syscall(__NR_sendto, socket, reinterpret_cast<long>(pieces[0].data),
                                               static_cast<long>(pieces[0].size), flags, 0, 0));
  const Message message{.pieces = pieces.data(), .piece_count = pieces.size()};
  return returned<std::size_t>(arch::syscall(__NR_sendmsg, socket, reinterpret_cast<long>(&message), flags));
}

Result<std::size_t> send_file(int socket, int file, std::uint64_t offset, std::size_t size) {
  return returned<std::size_t>(
      arch::syscall(__NR_sendfile, socket, file, reinterpret_cast<long>(&offset), static_cast<long>(size)));
}

Result<std::size_t> receive_stream(int socket, std::span<char> buffer, Blocking blocking) {
  return returned<std::size_t>(arch::syscall(__NR_recvfrom, socket, reinterpret_cast<long>(buffer.data()),
                                             static_cast<long>(buffer.size()), waiting(blocking), 0, 0));
}

bool is_silent(int socket) {
  char byte;
  const long result = arch::syscall(__NR_recvfrom, socket, reinterpret_cast<long>(&byte), sizeof byte,
                                    message_flag::do_not_wait | message_flag::peek, 0, 0);
  return result < 0 && Error::from_kernel(result) == Errc::would_block;
}

} // namespace rt::kernel
