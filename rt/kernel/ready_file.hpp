#pragma once
// What is known of a descriptor before it is read from or written to, and reading and writing without ever waiting,
// whatever the descriptor's own mode (O_NONBLOCK) is.

#include <rt/base/result.hpp>

#include <cstddef>
#include <span>

namespace rt::kernel {

/// Whether it was opened for reading, or for writing.
bool is_readable(int descriptor);
bool is_writable(int descriptor);

/// Whether it is a regular file or a block device: it is always ready, and has offsets.
bool is_on_device(int descriptor);

/// One read(2) or write(2) of what has been found ready: whoever else has taken it in between, they do not wait.
/// would_block. (A read may where Linux, before 6.4, has no such call for pipes.)
Result<std::size_t> read_if_ready(int descriptor, std::span<char> buffer);
Result<std::size_t> write_if_ready(int descriptor, std::span<const char> bytes);

} // namespace rt::kernel
