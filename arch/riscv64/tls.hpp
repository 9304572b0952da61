#pragma once
// The thread pointer and what lies at it on riscv64.
//
// Variant I of the ELF TLS layouts: the thread-local variables lie ABOVE the thread pointer, the control block ends
// at it.
//
//   ThreadControlBlock                               debuggers expect two words
//   thread-local variables (.tdata, then .tbss)      <- tp, which has their alignment
//
// The compiler reads the stack canary from a variable, which is the same for all threads.

#include <cstddef>
#include <cstdint>

extern "C" {
/// Defined wherever it is used by name, as the program's start-up does.
[[gnu::visibility("hidden")]] inline constinit std::uintptr_t __stack_chk_guard = 0;
}

namespace rt::arch {

struct ThreadControlBlock {
  std::uintptr_t reserved[2];
};

/// Where the variables begin, counted from the control block.
inline std::ptrdiff_t variables_offset(std::size_t /*size*/, std::size_t /*alignment*/) {
  return sizeof(ThreadControlBlock);
}

/// Every thread's canary is the first one's; writing it again changes nothing.
inline void fill(ThreadControlBlock*, std::uintptr_t canary) { __stack_chk_guard = canary; }

/// The calling thread's canary, which new threads share.
inline std::uintptr_t canary() { return __stack_chk_guard; }

/// Makes a control block known to the CPU as the calling thread's.
[[gnu::always_inline]] inline void set_thread_pointer(ThreadControlBlock* block) {
  asm volatile("mv tp, %0" ::"r"(block + 1) : "memory");
}

/// The value that clone(2) expects with CLONE_SETTLS.
inline void* thread_pointer_for_clone(ThreadControlBlock* block) { return block + 1; }

} // namespace rt::arch
