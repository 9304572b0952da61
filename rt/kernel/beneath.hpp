#pragma once
// Files below a directory, for programs that are given paths by others: no path leads out of it.

#include <rt/base/result.hpp>

#include <cstdint>

namespace rt::kernel {

/// Opens what the path leads to from the directory on, for reading, without waiting (a FIFO's writer, say); "." is the
/// directory itself. Symbolic links are followed as long as they stay below the directory (openat2(2)), or, where the
/// kernel has no such call or a sandbox forbids it, not at all.
/// cross_device_link: the path, or a link, leads out; too_many_symbolic_link_levels; errors of open(2).
Result<int> open_beneath(int directory, const char* path);

struct FileDetails {
  unsigned mode; ///< type and permissions, as in inode(7)
  std::uint64_t size;
  std::int64_t modified; ///< seconds since 1970
  std::uint32_t modified_nanoseconds;
  std::uint64_t inode;

  constexpr bool is_file() const { return (mode & 0170000) == 0100000; }
  constexpr bool is_directory() const { return (mode & 0170000) == 0040000; }
};
/// Of an open file.
Result<FileDetails> file_details(int descriptor);
/// Of a name in a directory; of a symbolic link itself, if it is one.
Result<FileDetails> file_details(int directory, const char* name);

} // namespace rt::kernel
