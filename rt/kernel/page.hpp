#pragma once

#include <cstddef>

namespace rt::kernel {

/// Bytes of a page of memory (AT_PAGESZ): 4096, or up to 65536 on aarch64.
std::size_t page_size();

} // namespace rt::kernel
