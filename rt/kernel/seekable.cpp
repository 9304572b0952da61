#include <rt/kernel/seekable.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/stat.h>

namespace rt::kernel {
namespace {

template <class T> Result<T> value(long result) {
  if (result < 0) return Error::from_kernel(result);
  return static_cast<T>(result);
}

} // namespace

Result<std::size_t> read_file_at(int descriptor, std::span<char> buffer, std::uint64_t place) {
  return value<std::size_t>(arch::syscall(__NR_pread64, descriptor, reinterpret_cast<long>(buffer.data()),
                                          static_cast<long>(buffer.size()), static_cast<long>(place)));
}

Result<std::size_t> write_file_at(int descriptor, std::span<const char> bytes, std::uint64_t place) {
  return value<std::size_t>(arch::syscall(__NR_pwrite64, descriptor, reinterpret_cast<long>(bytes.data()),
                                          static_cast<long>(bytes.size()), static_cast<long>(place)));
}

Result<std::uint64_t> seek_file(int descriptor, std::int64_t distance, int from) {
  return value<std::uint64_t>(arch::syscall(__NR_lseek, descriptor, distance, from));
}

Result<std::uint64_t> file_size(int descriptor) {
  struct statx status;
  static constexpr char none[] = "";
  const long result = arch::syscall(__NR_statx, descriptor, reinterpret_cast<long>(none), AT_EMPTY_PATH, STATX_SIZE,
                                    reinterpret_cast<long>(&status));
  if (result < 0) return Error::from_kernel(result);
  return std::uint64_t{status.stx_size};
}

Result<void> sync_file(int descriptor) { return Error::from_kernel(arch::syscall(__NR_fsync, descriptor)); }

Result<void> sync_file_data(int descriptor) { return Error::from_kernel(arch::syscall(__NR_fdatasync, descriptor)); }

Result<void> resize_file(int descriptor, std::uint64_t size) {
  return Error::from_kernel(arch::syscall(__NR_ftruncate, descriptor, static_cast<long>(size)));
}

} // namespace rt::kernel
