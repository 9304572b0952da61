#pragma once
// What the kernel saves when it runs a signal handler, and how a handler returns.

#include <cstdint>

namespace rt::arch {

/// The interrupted registers, as the kernel lays them out in front of `uc_mcontext` (struct sigcontext_64).
struct SignalFrame {
  std::uint64_t flags;
  SignalFrame* link;
  std::uint64_t stack[3];
  std::uint64_t registers[18];
};

inline constexpr unsigned register_count = 18;
/// The names of SignalFrame::registers, four characters each.
inline constexpr char register_names[] = "r8  r9  r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip efl ";
static_assert(sizeof register_names == register_count * 4 + 1);

inline std::uint64_t frame_pointer(const SignalFrame& frame) { return frame.registers[10]; }
inline std::uint64_t stack_pointer(const SignalFrame& frame) { return frame.registers[15]; }
inline std::uint64_t program_counter(const SignalFrame& frame) { return frame.registers[16]; }

/// Where a handler returns to. x86_64 has no such code in the vDSO and asks for it in every sigaction(2).
inline constexpr unsigned long signal_action_flags = 0x04000000; // SA_RESTORER
[[gnu::naked]] inline void signal_return() {
  asm volatile("mov $15, %eax\n\t" // __NR_rt_sigreturn
               "syscall");
}

/// A frame as the compiler lays it out with -fno-omit-frame-pointer: what the frame pointer points at.
struct Frame {
  const Frame* caller;
  std::uintptr_t return_address;
};
inline const Frame* frame_record(const void* frame_pointer) { return static_cast<const Frame*>(frame_pointer); }

} // namespace rt::arch
