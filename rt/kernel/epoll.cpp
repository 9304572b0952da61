#include <rt/kernel/epoll.hpp>

#include <arch/syscall.hpp>
#include <linux/eventpoll.h>

#include <algorithm>
#include <cstring>

namespace rt::kernel {
namespace {

Result<void> control(int epoll, int operation, int descriptor, std::uint32_t events, std::uint64_t data) {
  epoll_event event = {};
  event.events = events;
  event.data = data;
  return Error::from_kernel(
      arch::syscall(__NR_epoll_ctl, epoll, operation, descriptor, reinterpret_cast<long>(&event)));
}

std::uint32_t bits(Ready events, Trigger trigger) {
  return static_cast<std::uint32_t>(events) | static_cast<std::uint32_t>(trigger);
}

int milliseconds_until(Deadline deadline) {
  if (deadline.never()) return -1;
  const std::int64_t left = deadline.nanoseconds() - Clock::now().time_since_epoch().count();
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<std::int64_t>((left + 999'999) / 1'000'000, 0, most));
}

// The kernel's events are of 12 bytes on some CPUs.
void widen(std::span<EpollEvent> events) {
  if constexpr (sizeof(epoll_event) == sizeof(EpollEvent)) return;
  const auto* const from = reinterpret_cast<const char*>(events.data());
  for (std::size_t i = events.size(); i-- > 0;) {
    epoll_event event;
    std::memcpy(&event, from + i * sizeof event, sizeof event);
    events[i] = {static_cast<Ready>(event.events), event.data};
  }
}
static_assert(sizeof(epoll_event) <= sizeof(EpollEvent) &&
              offsetof(EpollEvent, ready) == offsetof(epoll_event, events));

} // namespace

Result<int> make_epoll() {
  const long result = arch::syscall(__NR_epoll_create1, EPOLL_CLOEXEC);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> add_to_epoll(int epoll, int descriptor, Ready events, std::uint64_t data, Trigger trigger) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, bits(events, trigger), data);
}

Result<void> change_in_epoll(int epoll, int descriptor, Ready events, std::uint64_t data, Trigger trigger) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, bits(events, trigger), data);
}

Result<void> remove_from_epoll(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

Result<unsigned> wait_for_epoll(int epoll, std::span<EpollEvent> found, Deadline deadline) {
  const long result = arch::syscall(__NR_epoll_pwait, epoll, reinterpret_cast<long>(found.data()),
                                    static_cast<long>(found.size()), milliseconds_until(deadline), 0, 0);
  if (result < 0) return Error::from_kernel(result);
  widen(found.first(static_cast<std::size_t>(result)));
  return static_cast<unsigned>(result);
}

} // namespace rt::kernel
