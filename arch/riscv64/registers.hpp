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
  alignas(16) std::uint64_t registers[32];
};
static_assert(offsetof(SignalFrame, registers) == offsetof(ucontext_t, uc_mcontext.__gregs));

inline constexpr unsigned register_count = 32;
/// The names of SignalFrame::registers, four characters each.
inline constexpr char register_names[] = "pc  ra  sp  gp  tp  t0  t1  t2  s0  s1  a0  a1  a2  a3  a4  a5  "
                                         "a6  a7  s2  s3  s4  s5  s6  s7  s8  s9  s10 s11 t3  t4  t5  t6  ";
static_assert(sizeof register_names == register_count * 4 + 1);

inline std::uint64_t frame_pointer(const SignalFrame& frame) { return frame.registers[8]; }
inline std::uint64_t stack_pointer(const SignalFrame& frame) { return frame.registers[2]; }
inline std::uint64_t program_counter(const SignalFrame& frame) { return frame.registers[0]; }

/// The kernel's struct sigaction; libc's is another. A handler returns to code in the vDSO.
struct SignalAction {
  void (*handler)(int, const siginfo_t*, const SignalFrame*);
  unsigned long flags;
  unsigned long mask;
};

inline SignalAction signal_action(decltype(SignalAction::handler) handler, unsigned long flags) {
  return {handler, flags, 0};
}

/// A frame as the compiler lays it out with -fno-omit-frame-pointer.
struct alignas(16) Frame { // as the stack pointer is, by the ABI
  const void* caller; // its frame pointer
  std::uintptr_t return_address;
};
/// The frame pointer points above it, at the caller's part of the stack.
inline const Frame* frame_record(const void* frame_pointer) { return static_cast<const Frame*>(frame_pointer) - 1; }
inline const void* frame_pointer_to(const Frame* frame) { return frame + 1; }

/// g++ lets a leaf function save its caller's frame pointer alone, where the return address would be; that one stays in
/// ra. What lies there is told by its value: frame pointers are multiples of 16 and lie above, and code is far away.
inline bool return_address_in_register(const Frame& record) {
  constexpr std::uintptr_t largest_frame = 1 << 24;
  const auto at = reinterpret_cast<std::uintptr_t>(&record);
  return record.return_address % 16 == 0 && record.return_address > at && record.return_address - at < largest_frame;
}
inline Frame caller_of_leaf(const SignalFrame& frame, const Frame& record) {
  return {reinterpret_cast<const void*>(record.return_address), frame.registers[1]};
}

} // namespace rt::arch
