#pragma once
// Files that have places: reading and writing at one, moving, size, disk.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

/// One pread64(2), pwrite64(2).
Result<std::size_t> read_file_at(int descriptor, std::span<char> buffer, std::uint64_t place);
Result<std::size_t> write_file_at(int descriptor, std::span<const char> bytes, std::uint64_t place);

/// lseek(2): from the beginning (0), from here (1), from the end (2). invalid_seek.
Result<std::uint64_t> seek_file(int descriptor, std::int64_t distance, int from);

Result<std::uint64_t> file_size(int descriptor);

/// fsync(2), fdatasync(2), ftruncate(2).
Result<void> sync_file(int descriptor);
Result<void> sync_file_data(int descriptor);
Result<void> resize_file(int descriptor, std::uint64_t size);

} // namespace rt::kernel
