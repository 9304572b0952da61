#pragma once
// epoll(7): waits for what many descriptors can do, which the kernel is told of once; and eventfd(2), which a thread
// that waits so is woken by.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/poll.hpp>

#include <cstdint>
#include <linux/eventpoll.h>
#include <span>

namespace rt::kernel {

Result<int> make_epoll();

enum class EpollChange : int { add = EPOLL_CTL_ADD, remove = EPOLL_CTL_DEL, modify = EPOLL_CTL_MOD };

/// Not what a descriptor is ready for but that it has become so is told, once each time.
inline constexpr Ready edge_triggered = static_cast<Ready>(std::uint32_t{1} << 31);

/// epoll_ctl(2). Errors, a hang-up are told of whatever the events are. bad_file_descriptor; operation_not_permitted:
/// it is always ready, as a regular file is; file_exists: it has been added; no_such_file_or_directory: it has not.
Errc change_epoll(int epoll, EpollChange change, int descriptor, Ready events);

/// The kernel's struct epoll_event, with the descriptor as its data.
struct EpollEvent : private epoll_event {
  int descriptor() const { return static_cast<int>(epoll_event::data); }
  Ready ready() const { return static_cast<Ready>(epoll_event::events); }
};

/// Waits until one of the descriptors is ready or the time is over, and returns how many events there are; 0: none.
/// Errc::interrupted: a signal's handler ran.
Result<unsigned> wait_in_epoll(int epoll, std::span<EpollEvent> events, Deadline deadline);

} // namespace rt::kernel
