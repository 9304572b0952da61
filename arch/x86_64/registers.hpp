#pragma once
// What the kernel saves when it runs a signal handler, how a handler is set, and how frames lie on the stack.

#include <cstddef>
#include <cstdint>
#include <signal.h>
#include <sys/ucontext.h>

namespace rt::arch {

/// The interrupted registers, as the kernel lays them out: the beginning of struct ucontext.
struct SignalFrame {
  std::uint64_t flags;
  SignalFrame* link;
  std::uint64_t stack[3];
  std::uint64_t registers[18];
};
static_assert(offsetof(SignalFrame, registers) == offsetof(ucontext_t, uc_mcontext.gregs));

inline constexpr unsigned register_count = 18;
/// The names of SignalFrame::registers, four characters each.
inline constexpr char register_names[] = "r8  r9  r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip efl ";
static_assert(sizeof register_names == register_count * 4 + 1);

inline std::uint64_t frame_pointer(const SignalFrame& frame) { return frame.registers[10]; }
inline std::uint64_t stack_pointer(const SignalFrame& frame) { return frame.registers[15]; }
inline std::uint64_t program_counter(const SignalFrame& frame) { return frame.registers[16]; }

/// The kernel's struct sigaction; libc's is another.
struct SignalAction {
  void (*handler)(int, const siginfo_t*, const SignalFrame*);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

/// Where a handler returns to. x86_64 has no such code in the vDSO and asks for it in every sigaction(2).
[[gnu::naked]] inline void signal_return() {
  asm volatile("mov $15, %eax\n\t" // __NR_rt_sigreturn
               "syscall");
}

inline SignalAction signal_action(decltype(SignalAction::handler) handler, unsigned long flags) {
  constexpr unsigned long has_restorer = 0x04000000; // SA_RESTORER
  return {handler, flags | has_restorer, signal_return, 0};
}

/// A frame as the compiler lays it out with -fno-omit-frame-pointer.
struct alignas(16) Frame { // as the stack pointer is, by the ABI
  const void* caller; // its frame pointer
  std::uintptr_t return_address;
};
/// The frame pointer points at it.
inline const Frame* frame_record(const void* frame_pointer) { return static_cast<const Frame*>(frame_pointer); }
inline const void* frame_pointer_to(const Frame* frame) { return frame; }

/// A leaf function, too, keeps its return address in its frame.
inline bool return_address_in_register(const Frame& /*record*/) { return false; }
inline Frame caller_of_leaf(const SignalFrame&, const Frame& /*record*/) { return {}; }

} // namespace rt::arch
