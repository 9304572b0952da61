#include <rt/kernel/event_counter.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>

#include <cstdint>

namespace rt::kernel {

Result<int> make_event_counter() {
  // EFD_CLOEXEC and EFD_NONBLOCK are the flags of open(2).
  const long descriptor = arch::syscall(__NR_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return Error::from_kernel(descriptor);
  return static_cast<int>(descriptor);
}

void add_to_event_counter(int descriptor) {
  const std::uint64_t one = 1;
  arch::syscall(__NR_write, descriptor, reinterpret_cast<long>(&one), sizeof one);
}

void clear_event_counter(int descriptor) {
  std::uint64_t count;
  arch::syscall(__NR_read, descriptor, reinterpret_cast<long>(&count), sizeof count);
}

} // namespace rt::kernel
