#include <rt/kernel/copy.hpp>

#include <rt/kernel/file.hpp>
#include <rt/kernel/returned.hpp>

#include <arch/syscall.hpp>
#include <linux/fadvise.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>

namespace rt::kernel {
Result<std::size_t> copy_by_sendfile(int from, int to, std::size_t size) {
  return returned<std::size_t>(arch::syscall(__NR_sendfile, to, from, 0, static_cast<long>(size)));
}

Result<std::size_t> splice(int from, int to, std::size_t size) {
  return returned<std::size_t>(arch::syscall(__NR_splice, from, 0, to, 0, static_cast<long>(size), 0));
}

Result<std::size_t> copy_file_range(int from, int to, std::size_t size) {
  return returned<std::size_t>(arch::syscall(__NR_copy_file_range, from, 0, to, 0, static_cast<long>(size), 0));
}

Result<std::span<char>> map_file(int descriptor, std::size_t size, bool writable) {
  const long result = arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | (writable ? PROT_WRITE : 0),
                                    MAP_SHARED, descriptor, 0);
  if (result < 0 && result > -4096) return Error::from_kernel(result);
  return std::span(reinterpret_cast<char*>(result), size);
}

void unmap_file(std::span<char> memory) {
  arch::syscall(__NR_munmap, reinterpret_cast<long>(memory.data()), static_cast<long>(memory.size()));
}

Result<void> bypass_page_cache(int descriptor) {
  const long flags = arch::syscall(__NR_fcntl, descriptor, F_GETFL);
  if (flags < 0) return Error::from_kernel(flags);
  return Error::from_kernel(arch::syscall(__NR_fcntl, descriptor, F_SETFL, flags | O_DIRECT));
}

Result<void> drop_cached_pages(int descriptor) {
  return Error::from_kernel(arch::syscall(__NR_fadvise64, descriptor, 0, 0, POSIX_FADV_DONTNEED));
}

Result<int> make_unnamed_file(const char* directory) {
  return open_file(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

Result<int> make_file_in_memory(const char* name) {
  return returned<int>(arch::syscall(__NR_memfd_create, reinterpret_cast<long>(name), MFD_CLOEXEC));
}

} // namespace rt::kernel
