#pragma once
// poll(2): waits for what a few descriptors can do, in this thread.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>

#include <cstdint>
#include <span>

namespace rt::kernel {

/// What a descriptor is ready for: bits, the same in poll(2) and epoll(7).
enum class Ready : std::uint32_t {
  none = 0,
  read = 0x1,
  urgent = 0x2, ///< out-of-band data
  write = 0x4,
  error = 0x8,        ///< told without being asked for, as the next
  hang_up = 0x10,     ///< no more will be sent, nor taken, by the other side
  peer_shut = 0x2000, ///< the other side sends no more (RDHUP)
};
constexpr Ready operator|(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr Ready operator&(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}
constexpr bool any(Ready events) { return events != Ready::none; }

/// The kernel's struct pollfd.
struct Polled {
  int descriptor = -1; ///< negative: left out
  std::uint16_t wanted = 0;
  std::uint16_t found = 0;

  constexpr Polled() = default;
  constexpr Polled(int number, Ready events) : descriptor(number), wanted(static_cast<std::uint16_t>(events)) {}
  /// 0x20, POLLNVAL: there is no such descriptor.
  constexpr bool is_open() const { return (found & 0x20) == 0; }
  constexpr Ready ready() const { return static_cast<Ready>(found); }
};

/// ppoll(2): waits until one of the descriptors is ready or the time is over, and returns how many are ready; 0: none.
/// Errc::interrupted: a signal's handler ran.
Result<unsigned> poll(std::span<Polled> descriptors, Deadline deadline);

} // namespace rt::kernel
