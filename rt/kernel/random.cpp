#include <rt/kernel/random.hpp>

#include <rt/base/error.hpp>
#include <rt/base/panic.hpp>

#include <arch/syscall.hpp>

namespace rt::kernel {

void fill_with_random(std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const long got =
        arch::syscall(__NR_getrandom, reinterpret_cast<long>(buffer.data()), static_cast<long>(buffer.size()), 0);
    if (got >= 0)
      buffer = buffer.subspan(static_cast<std::size_t>(got));
    else if (Error::from_kernel(got) != Errc::interrupted)
      panic("the kernel gives no random numbers (getrandom): {}", Error::from_kernel(got));
  }
}

} // namespace rt::kernel
