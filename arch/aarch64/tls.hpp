#pragma once
// The thread pointer and what lies at it on aarch64.
//
// Variant I of the ELF TLS layouts: the control block lies at the thread pointer, the thread-local variables ABOVE it.
//
//   ThreadControlBlock                               <- tpidr_el0, 16 bytes by the ABI
//   padding                                          to the variables' alignment
//   thread-local variables (.tdata, then .tbss)
//
// g++ reads the stack canary at tpidr_el0 + 8 (-mstack-protector-guard=sysreg in flags.mk).

#include <cstddef>
#include <cstdint>

namespace rt::arch {

struct ThreadControlBlock {
  std::uintptr_t reserved;
  std::uintptr_t canary; // tpidr_el0 + 8
};
static_assert(offsetof(ThreadControlBlock, canary) == 8);
static_assert(sizeof(ThreadControlBlock) == 16, "the linker counts the variables' offsets from here");

/// Where the variables begin, counted from the control block.
inline std::ptrdiff_t variables_offset(std::size_t /*size*/, std::size_t alignment) {
  return static_cast<std::ptrdiff_t>((sizeof(ThreadControlBlock) + alignment - 1) & -alignment);
}

/// Bytes of a block that begins at an address with the alignment.
inline std::size_t block_size(std::size_t size, std::size_t alignment) {
  return static_cast<std::size_t>(variables_offset(size, alignment)) + size;
}

inline void fill(ThreadControlBlock* block, std::uintptr_t canary) { block->canary = canary; }

/// The calling thread's canary, which new threads share.
inline std::uintptr_t canary() {
  const ThreadControlBlock* block;
  asm("mrs %0, tpidr_el0" : "=r"(block));
  return block->canary;
}

/// Makes a control block known to the CPU as the calling thread's.
[[gnu::always_inline]] inline void set_thread_pointer(ThreadControlBlock* block) {
  asm volatile("msr tpidr_el0, %0" ::"r"(block) : "memory");
}

/// The value that clone(2) expects with CLONE_SETTLS.
inline void* thread_pointer_for_clone(ThreadControlBlock* block) { return block; }

} // namespace rt::arch
