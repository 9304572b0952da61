#pragma once
// Descriptors as a whole: what an inherited table is made of, and what leaves it.

#include <rt/base/result.hpp>

namespace rt::kernel {

/// Closes all descriptors from `first` to `last`, both included: close_range(2), or where that is forbidden one after
/// the other.
void close_descriptors(unsigned first, unsigned last);

/// Another number of the same open file, `least` at least, close-on-exec. too_many_files_open.
Result<int> duplicate_above(int descriptor, int least);

/// Whether the descriptor is closed by execve(2).
Result<void> set_close_on_exec(int descriptor, bool close);

/// Sends the signal to the calling process when a pipe's or socket's other end is closed or something comes from there
/// (fcntl(2), "managing signals").
Result<void> signal_at_input(int descriptor, int signal);

} // namespace rt::kernel
