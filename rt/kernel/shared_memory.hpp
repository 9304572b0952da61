#pragma once
// Memory without a name that a process shares with the children that it clones from then on.

#include <rt/base/result.hpp>

#include <cstddef>

namespace rt::kernel {

/// Maps so many bytes, all zero. Memory is used only for pages that are touched, and none is set aside before
/// (MAP_NORESERVE). not_enough_memory.
Result<void*> map_shared_memory(std::size_t size);

/// Takes it away from the calling process only.
void unmap_memory(void* begin, std::size_t size);

/// Gives the pages back to the kernel, for all that share them: they read as zeros again. Both are multiples of the
/// page size.
void discard_shared_memory(void* begin, std::size_t size);

} // namespace rt::kernel
