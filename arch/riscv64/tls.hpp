#pragma once
// The thread pointer and what lies at it on riscv64.
//
// Variant I of the ELF TLS layouts: the thread-local variables lie ABOVE the thread pointer, the control block ends
// at it.
//
//   ThreadControlBlock                               two words, as debuggers expect
//   thread-local variables (.tdata, then .tbss)      <- tp, which has their alignment
//
// g++ reads the stack canary at tp - 8 (-mstack-protector-guard=tls in flags.mk).

#include <cstddef>
#include <cstdint>

namespace rt::arch {

struct ThreadControlBlock {
  std::uintptr_t reserved; // tp - 16
  std::uintptr_t canary;   // tp - 8
};
static_assert(sizeof(ThreadControlBlock) - offsetof(ThreadControlBlock, canary) == 8);

/// Where the variables begin, counted from the control block.
inline std::ptrdiff_t variables_offset(std::size_t /*size*/, std::size_t /*alignment*/) {
  return sizeof(ThreadControlBlock);
}

/// Bytes of a block that begins at an address with the alignment.
inline std::size_t block_size(std::size_t size, std::size_t alignment) {
  return static_cast<std::size_t>(variables_offset(size, alignment)) + size;
}

inline void fill(ThreadControlBlock* block, std::uintptr_t canary) { block->canary = canary; }

/// The calling thread's canary, which new threads share.
inline std::uintptr_t canary() {
  const ThreadControlBlock* end;
  asm("mv %0, tp" : "=r"(end));
  return end[-1].canary;
}

/// Makes a control block known to the CPU as the calling thread's.
[[gnu::always_inline]] inline void set_thread_pointer(ThreadControlBlock* block) {
  asm volatile("mv tp, %0" ::"r"(block + 1) : "memory");
}

/// The value that clone(2) expects with CLONE_SETTLS.
inline void* thread_pointer_for_clone(ThreadControlBlock* block) { return block + 1; }

} // namespace rt::arch
