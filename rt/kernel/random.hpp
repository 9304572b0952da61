#pragma once
// Random numbers that nobody can guess: getrandom(2).

#include <concepts>
#include <cstddef>
#include <span>

namespace rt::kernel {

/// Fills the buffer. Waits, in the first moments of a machine, until the kernel has gathered enough of what is random.
void fill_with_random(std::span<std::byte> buffer);

template <std::unsigned_integral T> T random_number() {
  T number;
  fill_with_random(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

} // namespace rt::kernel
