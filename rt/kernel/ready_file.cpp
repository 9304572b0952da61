#include <rt/kernel/ready_file.hpp>

#include <rt/kernel/file.hpp>
#include <rt/kernel/message.hpp>
#include <rt/kernel/returned.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include <algorithm>

namespace rt::kernel {
namespace {

// preadv2(2) or pwritev2(2) at the position.
Result<std::size_t> transfer(long number, int descriptor, const char* memory, std::size_t size) {
  const Piece one(std::span(memory, size));
  constexpr long at_position = -1; // both halves of the offset
  return returned<std::size_t>(
      arch::syscall(number, descriptor, reinterpret_cast<long>(&one), 1, at_position, at_position, RWF_NOWAIT));
}

// Neither if it is not open, or only by its path.
bool is_open_but_not(int descriptor, int mode) {
  const long flags = arch::syscall(__NR_fcntl, descriptor, F_GETFL);
  return flags >= 0 && (flags & O_PATH) == 0 && (flags & O_ACCMODE) != mode;
}

} // namespace

bool is_readable(int descriptor) { return is_open_but_not(descriptor, O_WRONLY); }
bool is_writable(int descriptor) { return is_open_but_not(descriptor, O_RDONLY); }

bool is_on_device(int descriptor) {
  struct statx status = {};
  const long result = arch::syscall(__NR_statx, descriptor, reinterpret_cast<long>(""), AT_EMPTY_PATH, STATX_TYPE,
                                    reinterpret_cast<long>(&status));
  const unsigned type = status.stx_mode & 0170000;
  return result == 0 && (type == 0100000 || type == 0060000);
}

Result<std::size_t> read_if_ready(int descriptor, std::span<char> buffer) {
  const auto got = transfer(__NR_preadv2, descriptor, buffer.data(), buffer.size());
  if (got.error() != Errc::operation_not_supported) return got;
  return read_file(descriptor, buffer);
}

Result<std::size_t> write_if_ready(int descriptor, std::span<const char> bytes) {
  const auto put = transfer(__NR_pwritev2, descriptor, bytes.data(), bytes.size());
  if (put.error() != Errc::operation_not_supported) return put;
  const auto sent = returned<std::size_t>(arch::syscall(__NR_sendto, descriptor, reinterpret_cast<long>(bytes.data()),
                                                        static_cast<long>(bytes.size()),
                                                        message_flag::do_not_wait | message_flag::no_signal, 0, 0));
  if (sent.error() != Errc::not_a_socket) return sent;
  // A pipe that is ready to write has room for a page.
  return write_file(descriptor, bytes.first(std::min<std::size_t>(bytes.size(), 4096)));
}

} // namespace rt::kernel
