#include <rt/kernel/transfer.hpp>

#include <arch/syscall.hpp>

namespace rt::kernel {
namespace {

// MSG_PEEK, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE: the same on all CPUs.
constexpr long peek = 0x2, do_not_wait = 0x40, no_signal = 0x4000, more_follows = 0x8000;

// struct msghdr, which no header of the kernel exports.
struct Message {
  const void* name = nullptr;
  std::int32_t name_size = 0;
  const Piece* pieces;
  std::size_t count;
  void* control = nullptr;
  std::size_t control_size = 0;
  unsigned flags = 0;
};

Result<std::size_t> size_or_error(long result) {
  if (result < 0) return Error::from_kernel(result);
  return static_cast<std::size_t>(result);
}

} // namespace

Result<std::size_t> send_pieces(int socket, std::span<const Piece> pieces, More more) {
  const long flags = do_not_wait | no_signal | (more == More::yes ? more_follows : 0);
  if (pieces.size() == 1)
    return size_or_error(arch::syscall(__NR_sendto, socket, reinterpret_cast<long>(pieces[0].data),
                                       static_cast<long>(pieces[0].size), flags, 0, 0));
  const Message message{.pieces = pieces.data(), .count = pieces.size()};
  return size_or_error(arch::syscall(__NR_sendmsg, socket, reinterpret_cast<long>(&message), flags));
}

bool is_silent(int socket) {
  char byte;
  const long result =
      arch::syscall(__NR_recvfrom, socket, reinterpret_cast<long>(&byte), sizeof byte, do_not_wait | peek, 0, 0);
  return result < 0 && Error::from_kernel(result) == Errc::would_block;
}

Result<std::size_t> send_file(int socket, int file, std::uint64_t offset, std::size_t size) {
  return size_or_error(
      arch::syscall(__NR_sendfile, socket, file, reinterpret_cast<long>(&offset), static_cast<long>(size)));
}

} // namespace rt::kernel
