#pragma once
// The thread pointer and what lies at it on x86_64.
//
// Variant II of the ELF TLS layouts: the thread-local variables lie BELOW the thread pointer, the control block at it.
//
//   thread-local variables (.tdata, then .tbss)      end at the thread pointer, which has their alignment
//   ThreadControlBlock                               <- %fs:0
//
// The compiler reads two of its words: %fs:0 (the thread pointer itself, to form addresses) and %fs:0x28 (the stack
// canary).

#include <arch/syscall.hpp>
#include <asm/prctl.h>
#include <cstddef>
#include <cstdint>

namespace rt::arch {

struct ThreadControlBlock {
  ThreadControlBlock* self; // %fs:0x00
  std::uintptr_t reserved[4];
  std::uintptr_t canary; // %fs:0x28
};
static_assert(offsetof(ThreadControlBlock, canary) == 0x28);

/// Where the variables begin, counted from the control block.
inline std::ptrdiff_t variables_offset(std::size_t size, std::size_t /*alignment*/) {
  return -static_cast<std::ptrdiff_t>(size);
}

/// Bytes of a block that begins at an address with the alignment.
inline std::size_t block_size(std::size_t size, std::size_t /*alignment*/) { return size + sizeof(ThreadControlBlock); }

inline void fill(ThreadControlBlock* block, std::uintptr_t canary) {
  block->self = block;
  block->canary = canary;
}

/// The calling thread's canary, which new threads share.
inline std::uintptr_t canary() {
  std::uintptr_t value;
  asm("mov %%fs:0x28, %0" : "=r"(value));
  return value;
}

/// Makes a control block known to the CPU as the calling thread's.
[[gnu::always_inline]] inline void set_thread_pointer(ThreadControlBlock* block) {
  syscall(__NR_arch_prctl, ARCH_SET_FS, reinterpret_cast<long>(block));
}

/// The value that clone(2) expects with CLONE_SETTLS.
inline void* thread_pointer_for_clone(ThreadControlBlock* block) { return block; }

} // namespace rt::arch
