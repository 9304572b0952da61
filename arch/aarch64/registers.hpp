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
  std::uint64_t mask[16];
  alignas(16) std::uint64_t fault_address;
  std::uint64_t registers[34];
};
static_assert(offsetof(SignalFrame, registers) == offsetof(ucontext_t, uc_mcontext.regs));
static_assert(offsetof(SignalFrame, registers[33]) == offsetof(ucontext_t, uc_mcontext.pstate));

inline constexpr unsigned register_count = 34;
/// The names of SignalFrame::registers, four characters each.
inline constexpr char register_names[] = "x0  x1  x2  x3  x4  x5  x6  x7  x8  x9  x10 x11 x12 x13 x14 x15 x16 "
                                         "x17 x18 x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 x30 sp  pc  psr ";
static_assert(sizeof register_names == register_count * 4 + 1);

inline std::uint64_t frame_pointer(const SignalFrame& frame) { return frame.registers[29]; }
inline std::uint64_t stack_pointer(const SignalFrame& frame) { return frame.registers[31]; }
inline std::uint64_t program_counter(const SignalFrame& frame) { return frame.registers[32]; }

/// The kernel's struct sigaction; libc's is another.
struct SignalAction {
  void (*handler)(int, const siginfo_t*, const SignalFrame*);
  unsigned long flags;
  void (*restorer)(); // none: a handler returns to code in the vDSO
  unsigned long mask;
};

inline SignalAction signal_action(decltype(SignalAction::handler) handler, unsigned long flags) {
  return {handler, flags, nullptr, 0};
}

/// A frame as the compiler lays it out with -fno-omit-frame-pointer.
struct alignas(16) Frame { // as the stack pointer is, by the ABI
  const void* caller; // its frame pointer
  std::uintptr_t return_address;
};
/// The frame pointer points at it.
inline const Frame* frame_record(const void* frame_pointer) { return static_cast<const Frame*>(frame_pointer); }
inline const void* frame_pointer_to(const Frame* frame) { return frame; }

/// A leaf function, too, keeps its return address in its frame (-mno-omit-leaf-frame-pointer in flags.mk).
inline bool return_address_in_register(const Frame& /*record*/) { return false; }
inline Frame caller_of_leaf(const SignalFrame&, const Frame& /*record*/) { return {}; }

} // namespace rt::arch
