#pragma once
// Copying between descriptors within the kernel, and files as memory.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

/// sendfile(2): up to that many bytes from a file's position on to another descriptor. 0: the end.
Result<std::size_t> copy_by_sendfile(int from, int to, std::size_t size);

/// splice(2): moves up to that many bytes between a pipe and another descriptor. 0: the end.
Result<std::size_t> splice(int from, int to, std::size_t size);

/// copy_file_range(2): the same between files, from and to their positions; a file system that can shares the data
/// rather than to copy them. cross_device_link, invalid_argument, operation_not_supported: these two cannot.
Result<std::size_t> copy_file_range(int from, int to, std::size_t size);

/// mmap(2): the first bytes of a file as memory that all who map it share. writable: what is written there is the
/// file's; a descriptor for reading and writing.
Result<std::span<char>> map_file(int descriptor, std::size_t size, bool writable);
void unmap_file(std::span<char> memory);

/// fcntl(2): reads and writes go past the page cache from now on (O_DIRECT). Buffers, offsets and sizes then have to be
/// multiples of the device's block: 4096 bytes do everywhere. invalid_argument: the file system cannot.
Result<void> bypass_page_cache(int descriptor);

/// posix_fadvise(2), POSIX_FADV_DONTNEED: forgets the file's pages as far as they are on the disk.
Result<void> drop_cached_pages(int descriptor);

/// A file without a name in the directory (O_TMPFILE), which is gone when it is closed; without a directory: in memory
/// (memfd_create(2)). For reading and writing.
Result<int> make_unnamed_file(const char* directory);
Result<int> make_file_in_memory(const char* name);

} // namespace rt::kernel
