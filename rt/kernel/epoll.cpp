#include <rt/kernel/epoll.hpp>

#include <rt/base/atomic.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>

#include <algorithm>

namespace rt::kernel {
namespace {

long wait(int epoll, std::span<EpollEvent> events, const KernelTime* time) {
  return arch::syscall(__NR_epoll_pwait2, epoll, reinterpret_cast<long>(events.data()),
                       static_cast<long>(events.size()), reinterpret_cast<long>(time), 0, 0);
}

long look(int epoll, std::span<EpollEvent> events) {
  return arch::syscall(__NR_epoll_pwait, epoll, reinterpret_cast<long>(events.data()), static_cast<long>(events.size()),
                       0, 0, 0);
}

// Before Linux 5.11 the time could be told in milliseconds only: poll(2) takes it as it is.
Result<unsigned> wait_by_poll(int epoll, std::span<EpollEvent> events, Deadline deadline) {
  Polled polled(epoll, Ready::read);
  if (const auto ready = poll({&polled, 1}, deadline); !ready) return ready.error();
  const long result = look(epoll, events);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<unsigned>(result);
}

constinit Atomic<bool> has_wait2 = true;

} // namespace

Result<int> make_epoll() {
  const long result = arch::syscall(__NR_epoll_create1, O_CLOEXEC);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Errc change_epoll(int epoll, EpollChange change, int descriptor, Ready events) {
  epoll_event event{};
  event.events = static_cast<__poll_t>(events);
  event.data = static_cast<__u64>(descriptor);
  return static_cast<Errc>(
      -arch::syscall(__NR_epoll_ctl, epoll, static_cast<long>(change), descriptor, reinterpret_cast<long>(&event)));
}

Result<unsigned> wait_in_epoll(int epoll, std::span<EpollEvent> events, Deadline deadline) {
  long result;
  if (deadline == Deadline::at(0)) {
    result = look(epoll, events);
  } else if (!has_wait2.load(std::memory_order_relaxed)) {
    return wait_by_poll(epoll, events, deadline);
  } else if (deadline.never()) {
    result = wait(epoll, events, nullptr);
  } else {
    const std::int64_t left = deadline.nanoseconds() - Clock::now().time_since_epoch().count();
    const KernelTime time = KernelTime::from(std::max<std::int64_t>(left, 0));
    result = wait(epoll, events, &time);
  }
  if (result >= 0) return static_cast<unsigned>(result);
  const Error error = Error::from_kernel(result);
  // A container's filter may not know the call either.
  if (error.code != Errc::function_not_supported && error.code != Errc::operation_not_permitted) return error;
  has_wait2.store(false, std::memory_order_relaxed);
  return wait_by_poll(epoll, events, deadline);
}

} // namespace rt::kernel
