#pragma once
// Stacks for threads: mapped once, guarded, and kept for the next thread.
//
//   mapping   [signal stack][guard][stack ................ <- grows down][control: what the thread layer puts on top]
//             16 KiB        16 KiB                                        end of the mapping
//
// An access to the guard is a crash, reported as a stack overflow by the handler, which runs on the signal stack.

#include <rt/base/result.hpp>

#include <algorithm>
#include <arch/cpu.hpp>
#include <cstddef>
#include <cstdint>

namespace rt::memory {

inline constexpr std::size_t default_stack_size = 256 * 1024;
inline constexpr std::size_t least_stack_size = 16 * 1024;
/// Whole pages, whatever their size.
inline constexpr std::size_t signal_stack_size = std::max<std::size_t>(16 * 1024, arch::max_page_size);
/// Large enough for functions with frames of several KiB to hit it rather than to step over it.
inline constexpr std::size_t guard_size = std::max<std::size_t>(16 * 1024, arch::max_page_size);

struct StackMapping {
  char* begin = nullptr;
  std::size_t size = 0;

  char* end() const { return begin + size; }
  char* stack_begin() const { return begin + signal_stack_size + guard_size; }
};

/// Maps a stack with room for `stack_size` bytes and `control_size` above it. not_enough_memory; never unguarded.
Result<StackMapping> map_stack(std::size_t stack_size, std::size_t control_size);
void unmap_stack(const StackMapping& mapping);

} // namespace rt::memory
