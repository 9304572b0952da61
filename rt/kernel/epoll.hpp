#pragma once
// epoll(7): a set of descriptors in the kernel, and which of them are ready.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/poll.hpp>

#include <cstdint>
#include <span>

namespace rt::kernel {

/// One that is ready, and what it was added with.
struct EpollEvent {
  Ready ready;
  std::uint64_t data;
};

enum class Trigger : std::uint32_t {
  level = 0,
  edge = 1u << 31, ///< told once, until something happens to the descriptor again
};

/// A new set, itself a descriptor, which is ready to read when one in it is ready.
Result<int> make_epoll();

/// operation_not_permitted: a file or directory, which is always ready; file_exists: it is in the set already;
/// bad_file_descriptor.
Result<void> add_to_epoll(int epoll, int descriptor, Ready events, std::uint64_t data,
                          Trigger trigger = Trigger::level);
/// no_such_file_or_directory: it is not in the set; bad_file_descriptor.
Result<void> change_in_epoll(int epoll, int descriptor, Ready events, std::uint64_t data,
                             Trigger trigger = Trigger::level);
/// The same errors. Closing the last descriptor of what is open takes it out as well.
Result<void> remove_from_epoll(int epoll, int descriptor);

/// epoll_pwait(2): waits until one is ready or the time, rounded up to milliseconds, is over, and returns how many it
/// has found; 0: none. Errc::interrupted: a signal's handler ran.
Result<unsigned> wait_for_epoll(int epoll, std::span<EpollEvent> found, Deadline deadline);

} // namespace rt::kernel
