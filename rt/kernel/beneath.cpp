#include <rt/kernel/beneath.hpp>

#include <rt/kernel/file.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include <cstring>

namespace rt::kernel {
namespace {

constexpr int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

Result<int> descriptor_or_error(long result) {
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<int> open_at(int directory, const char* name, int how) {
  return descriptor_or_error(arch::syscall(__NR_openat, directory, reinterpret_cast<long>(name), how, 0));
}

// One name after the other, none of them a symbolic link.
Result<int> walk_beneath(int directory, const char* path) {
  int here = directory;
  for (;;) {
    char name[256];
    const std::size_t size = std::strcspn(path, "/");
    const bool last = path[size] == 0;
    Result<int> next = Errc::cross_device_link; // an absolute path, or ".."
    if (size >= sizeof name) {
      next = Errc::filename_too_long;
    } else if (size != 0) {
      std::memcpy(name, path, size);
      name[size] = 0;
      if (std::strcmp(name, "..") != 0)
        next = open_at(here, name, last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (here != directory) (void)close_file(here);
    if (!next || last) return next;
    here = *next;
    path += size + 1;
  }
}

Result<FileDetails> details(int directory, const char* name, int how) {
  struct statx status;
  const long result =
      arch::syscall(__NR_statx, directory, reinterpret_cast<long>(name), how,
                    STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME | STATX_INO, reinterpret_cast<long>(&status));
  if (result < 0) return Error::from_kernel(result);
  return FileDetails{status.stx_mode, status.stx_size, status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec,
                     status.stx_ino};
}

} // namespace

Result<int> open_beneath(int directory, const char* path) {
  const open_how how = {.flags = flags, .mode = 0, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  const Result<int> opened = descriptor_or_error(
      arch::syscall(__NR_openat2, directory, reinterpret_cast<long>(path), reinterpret_cast<long>(&how), sizeof how));
  const bool missing =
      opened.error() == Errc::function_not_supported || opened.error() == Errc::operation_not_permitted;
  return missing ? walk_beneath(directory, path) : opened;
}

Result<FileDetails> file_details(int descriptor) { return details(descriptor, "", AT_EMPTY_PATH); }
Result<FileDetails> file_details(int directory, const char* name) {
  return details(directory, name, AT_SYMLINK_NOFOLLOW);
}

} // namespace rt::kernel
