#pragma once

#include <string_view>

namespace rt::kernel {

/// The address of a function in the shared object that the kernel maps into every process (vdso(7)); nullptr where it
/// has no such function. `image` is AT_SYSINFO_EHDR of the auxiliary vector.
void* find_in_vdso(const void* image, std::string_view name);

} // namespace rt::kernel
