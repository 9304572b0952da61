#pragma once
// Waiting for a descriptor: blocks the thread, or only the fiber when called in one.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/poll.hpp>

namespace rt {

using kernel::Ready;

/// Blocks the calling task until the descriptor is ready for one of the events or has an error or a hang-up, and
/// returns what it is ready for. To be called after an operation on a non-blocking descriptor said would_block.
/// timed_out, canceled, bad_file_descriptor (also when it is closed meanwhile).
[[nodiscard]] Result<Ready> wait_until_ready(int descriptor, Ready events, Deadline deadline = {});

} // namespace rt
