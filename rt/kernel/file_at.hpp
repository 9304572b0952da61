#pragma once
// Files by descriptor and offset: what does not depend on the position that others may move.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

/// In place of an offset: read or write where the file's position is, and move it. What has no offsets (pipes, sockets,
/// terminals) knows nothing else.
inline constexpr std::uint64_t at_position = ~std::uint64_t{0};

/// One pread64(2) or read(2). 0 bytes: the end.
Result<std::size_t> read_file_at(int descriptor, std::span<char> buffer, std::uint64_t offset);

/// One pwrite64(2) or write(2). Returns how many bytes were written, which may be fewer.
Result<std::size_t> write_file_at(int descriptor, std::span<const char> bytes, std::uint64_t offset);

/// The same at the position, of what has been found ready: whoever else has taken it in between, they do not block, not
/// even if the descriptor is a blocking one. would_block. (Only a read may where Linux, before 6.4, has no such call
/// for pipes.)
Result<std::size_t> read_if_ready(int descriptor, std::span<char> buffer);
Result<std::size_t> write_if_ready(int descriptor, std::span<const char> bytes);

/// Whether it was opened for reading, or for writing.
bool is_readable(int descriptor);
bool is_writable(int descriptor);

/// Whether it is a regular file or a block device: it is always ready, and has offsets.
bool is_on_device(int descriptor);

enum class Sync : bool { all, data }; ///< data: without what is not needed to read it again, such as times

/// fsync(2) or fdatasync(2): returns when what was written is on the device.
Result<void> sync_file(int descriptor, Sync what);

} // namespace rt::kernel
