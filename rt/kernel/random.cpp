#include <rt/kernel/random.hpp>

#include <rt/base/panic.hpp>

#include <arch/syscall.hpp>

namespace rt::kernel {

void fill_with_random(std::span<char> buffer) {
  while (!buffer.empty()) {
    const long result =
        arch::syscall(__NR_getrandom, reinterpret_cast<long>(buffer.data()), static_cast<long>(buffer.size()), 0);
    if (result == -static_cast<long>(Errc::interrupted)) continue;
    if (result < 0) panic("no random numbers from the kernel: {}", Error::from_kernel(result));
    buffer = buffer.subspan(static_cast<std::size_t>(result));
  }
}

} // namespace rt::kernel
