#include <rt/kernel/file_at.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include <algorithm>

namespace rt::kernel {
namespace {

Result<std::size_t> as_size(long result) {
  if (result < 0) return Error::from_kernel(result);
  return static_cast<std::size_t>(result);
}

Result<std::size_t> transfer(long number, long number_at, int descriptor, const char* memory, std::size_t size,
                             std::uint64_t offset) {
  const long address = reinterpret_cast<long>(memory), bytes = static_cast<long>(size);
  const long result = offset == at_position
                          ? arch::syscall(number, descriptor, address, bytes)
                          : arch::syscall(number_at, descriptor, address, bytes, static_cast<long>(offset));
  return as_size(result);
}

// preadv2(2) or pwritev2(2) at the position.
long transfer_without_waiting(long number, int descriptor, const char* memory, std::size_t size) {
  const struct {
    const char* memory;
    std::size_t size;
  } one{memory, size};
  constexpr long whole = -1; // both halves of the offset
  return arch::syscall(number, descriptor, reinterpret_cast<long>(&one), 1, whole, whole, RWF_NOWAIT);
}

constexpr bool is(long result, Errc code) { return result == -static_cast<long>(code); }

} // namespace

Result<std::size_t> read_file_at(int descriptor, std::span<char> buffer, std::uint64_t offset) {
  return transfer(__NR_read, __NR_pread64, descriptor, buffer.data(), buffer.size(), offset);
}

Result<std::size_t> write_file_at(int descriptor, std::span<const char> bytes, std::uint64_t offset) {
  return transfer(__NR_write, __NR_pwrite64, descriptor, bytes.data(), bytes.size(), offset);
}

Result<std::size_t> read_if_ready(int descriptor, std::span<char> buffer) {
  const long result = transfer_without_waiting(__NR_preadv2, descriptor, buffer.data(), buffer.size());
  return is(result, Errc::operation_not_supported) ? read_file_at(descriptor, buffer, at_position) : as_size(result);
}

Result<std::size_t> write_if_ready(int descriptor, std::span<const char> bytes) {
  long result = transfer_without_waiting(__NR_pwritev2, descriptor, bytes.data(), bytes.size());
  if (!is(result, Errc::operation_not_supported)) return as_size(result);
  constexpr long do_not_wait = 0x40, no_signal = 0x4000; // MSG_DONTWAIT, MSG_NOSIGNAL
  result = arch::syscall(__NR_sendto, descriptor, reinterpret_cast<long>(bytes.data()), static_cast<long>(bytes.size()),
                         do_not_wait | no_signal, 0, 0);
  if (!is(result, Errc::not_a_socket)) return as_size(result);
  // A pipe that is ready to write has room for a page.
  return write_file_at(descriptor, bytes.first(std::min<std::size_t>(bytes.size(), 4096)), at_position);
}

// Neither if it is not open, or by O_PATH.
static bool is_open_but_not(int descriptor, int mode) {
  const long flags = arch::syscall(__NR_fcntl, descriptor, F_GETFL);
  return flags >= 0 && (flags & O_PATH) == 0 && (flags & O_ACCMODE) != mode;
}
bool is_readable(int descriptor) { return is_open_but_not(descriptor, O_WRONLY); }
bool is_writable(int descriptor) { return is_open_but_not(descriptor, O_RDONLY); }

bool is_on_device(int descriptor) {
  struct statx status = {};
  const long result = arch::syscall(__NR_statx, descriptor, reinterpret_cast<long>(""), AT_EMPTY_PATH, STATX_TYPE,
                                    reinterpret_cast<long>(&status));
  const unsigned type = status.stx_mode & 0170000;
  return result == 0 && (type == 0100000 || type == 0060000);
}

Result<void> sync_file(int descriptor, Sync what) {
  return Error::from_kernel(arch::syscall(what == Sync::data ? __NR_fdatasync : __NR_fsync, descriptor));
}

} // namespace rt::kernel
