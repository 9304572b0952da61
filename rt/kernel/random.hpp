#pragma once
// Random numbers from the kernel.

#include <span>

namespace rt::kernel {

/// Fills the buffer with what nobody can foresee (getrandom(2)): for keys. Waits, early in the life of a machine, until
/// the kernel has enough of it.
void fill_with_random(std::span<char> buffer);

} // namespace rt::kernel
