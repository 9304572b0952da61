#include <rt/kernel/file.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/stat.h>

namespace rt::kernel {

Result<int> open_file(const char* path, int flags, unsigned mode) {
  const long result = arch::syscall(__NR_openat, AT_FDCWD, reinterpret_cast<long>(path), flags, mode);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

namespace {

void tell_of_close(int descriptor) {
  if (auto* const observer = descriptor_closes.load(std::memory_order_relaxed)) observer(descriptor);
}

} // namespace

Result<void> close_file(int descriptor) {
  tell_of_close(descriptor);
  return Error::from_kernel(arch::syscall(__NR_close, descriptor));
}

bool is_open(int descriptor) { return arch::syscall(__NR_fcntl, descriptor, F_GETFD) >= 0; }

Result<std::size_t> read_file(int descriptor, std::span<char> buffer) {
  const long result =
      arch::syscall(__NR_read, descriptor, reinterpret_cast<long>(buffer.data()), static_cast<long>(buffer.size()));
  if (result < 0) return Error::from_kernel(result);
  return static_cast<std::size_t>(result);
}

Result<std::size_t> write_file(int descriptor, std::span<const char> bytes) {
  const long result =
      arch::syscall(__NR_write, descriptor, reinterpret_cast<long>(bytes.data()), static_cast<long>(bytes.size()));
  if (result < 0) return Error::from_kernel(result);
  return static_cast<std::size_t>(result);
}

bool is_nonblocking(int descriptor) {
  const long flags = arch::syscall(__NR_fcntl, descriptor, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK);
}

Result<int> duplicate(int descriptor) {
  const long result = arch::syscall(__NR_fcntl, descriptor, F_DUPFD_CLOEXEC, 0);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<int> keep_from_standard(Result<int> descriptor) {
  constexpr int first_other = 3;
  if (!descriptor || *descriptor >= first_other) return descriptor;
  const long result = arch::syscall(__NR_fcntl, *descriptor, F_DUPFD_CLOEXEC, first_other);
  arch::syscall(__NR_close, *descriptor);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> duplicate_as(int from, int to) {
  tell_of_close(to);
  const long result = arch::syscall(__NR_dup3, from, to, 0);
  if (result < 0) return Error::from_kernel(result);
  return {};
}

Result<PipeEnds> make_pipe(int flags) {
  PipeEnds ends;
  const long result = arch::syscall(__NR_pipe2, reinterpret_cast<long>(&ends), flags);
  if (result < 0) return Error::from_kernel(result);
  return ends;
}

Result<int> control_device(int descriptor, unsigned long request, void* argument) {
  const long result =
      arch::syscall(__NR_ioctl, descriptor, static_cast<long>(request), reinterpret_cast<long>(argument));
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> rename_file(const char* from, const char* to) {
  return Error::from_kernel(arch::syscall(__NR_renameat2, AT_FDCWD, reinterpret_cast<long>(from), AT_FDCWD,
                                          reinterpret_cast<long>(to), 0));
}

Result<void> remove_file(const char* path) {
  return Error::from_kernel(arch::syscall(__NR_unlinkat, AT_FDCWD, reinterpret_cast<long>(path), 0));
}

Result<void> make_directory(const char* path, unsigned mode) {
  return Error::from_kernel(arch::syscall(__NR_mkdirat, AT_FDCWD, reinterpret_cast<long>(path), mode));
}

Result<PathStatus> path_status(const char* path) {
  struct statx status;
  const long result = arch::syscall(__NR_statx, AT_FDCWD, reinterpret_cast<long>(path), 0,
                                    STATX_TYPE | STATX_MODE | STATX_SIZE, reinterpret_cast<long>(&status));
  if (result < 0) return Error::from_kernel(result);
  return PathStatus{status.stx_mode, status.stx_size, (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0};
}

Result<const char*> DirectoryReader::next() {
  // struct linux_dirent64 (getdents64(2)), which no header of the kernel exports.
  struct Entry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t size; // of the whole entry
    unsigned char type;
    char name[];
  };
  if (position_ == end_) {
    const long result =
        arch::syscall(__NR_getdents64, descriptor_, reinterpret_cast<long>(buffer_), static_cast<long>(sizeof buffer_));
    if (result < 0) return Error::from_kernel(result);
    if (result == 0) return nullptr;
    position_ = 0;
    end_ = static_cast<std::size_t>(result);
  }
  const auto* entry = reinterpret_cast<const Entry*>(buffer_ + position_);
  position_ += entry->size;
  return entry->name;
}

} // namespace rt::kernel
