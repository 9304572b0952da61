#pragma once
// The context switch on riscv64: one flow of control stops here, another goes on where it stopped.
//
//   register     at the switch                                    who keeps it
//   sp           the stack of the flow                            Context::stack_pointer
//   s0 (fp)      its frame pointer                                Context::frame_pointer
//   pc           where it goes on                                 Context::resume_address
//   a0           the value that travels, both ways                nobody: it is the message
//   a2           the context that goes on                         nobody: a new flow learns it that way
//   gp, tp       the same for all flows of a thread               nobody
//   all others   whatever the compiler had in them                the compiler: they are listed as overwritten, so it
//                                                                 spills those that it still needs, and no other
//
// The stack before and after (nothing is pushed):
//
//   from's stack                 to's stack
//     frames ...                   frames ...
//     spilled values               spilled values
//     <- from.stack_pointer        <- to.stack_pointer, sp after the switch
//
// The switch jumps by a register that is not ra or t0: a jump by one of these is a return to the processor, which it
// predicts by the calls it has seen (RISC-V ISA manual, "Unconditional Jumps"), and a return to anywhere else costs it
// a refill of its pipeline. Only Generator's resume and yield do nest as a call and its return do; they have a pair of
// their own. The control word (fcsr) is a thread's, not a flow's: all flows of a thread share it.

#include <cstddef>
#include <cstdint>

namespace rt::arch {

/// A flow of control that does not run.
struct Context {
  void* stack_pointer;
  void* frame_pointer;
  void* resume_address;
};
static_assert(offsetof(Context, stack_pointer) == 0 && offsetof(Context, frame_pointer) == 8 &&
              offsetof(Context, resume_address) == 16);

#define RT_ALL_BUT_OPERANDS                                                                                            \
  "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8",    \
      "s9", "s10", "s11", "ra", "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "ft8", "ft9", "ft10", "ft11",  \
      "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs0", "fs1", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",  \
      "fs8", "fs9", "fs10", "fs11", "memory"

/// Stops the calling flow in `from` and lets `to` go on, whose call returns `value`. Returns the value that is given to
/// whoever switches back to `from`.
[[gnu::always_inline]] inline void* switch_context(Context& from, const Context& to, void* value) {
  register void* message asm("a0") = value;
  register Context* leaving asm("a1") = &from;
  register const Context* target asm("a2") = &to;
  asm volatile("lla   a4, 1f\n\t"
               "sd    sp, 0(a1)\n\t"
               "sd    s0, 8(a1)\n\t"
               "sd    a4, 16(a1)\n\t"
               "ld    sp, 0(a2)\n\t"
               "ld    s0, 8(a2)\n\t"
               "ld    a4, 16(a2)\n\t"
               "jr    a4\n"
               "1:"
               : "+r"(message), "+r"(leaving), "+r"(target)
               :
               : "a3", RT_ALL_BUT_OPERANDS);
  return message;
}

/// The same, but what `to` gets is hook(value), called on its stack when the calling flow has left its own: there the
/// leaver's stack can be given away.
[[gnu::always_inline]] inline void* switch_context(Context& from, const Context& to, void* value,
                                                   void* (*hook)(void*)) {
  register void* message asm("a0") = value;
  register Context* leaving asm("a1") = &from;
  register const Context* target asm("a2") = &to;
  register void* (*call)(void*)asm("a3") = hook;
  asm volatile("lla   a4, 1f\n\t"
               "sd    sp, 0(a1)\n\t"
               "sd    s0, 8(a1)\n\t"
               "sd    a4, 16(a1)\n\t"
               "mv    s1, a2\n\t" // a call keeps s1
               "ld    sp, 0(a2)\n\t"
               "ld    s0, 8(a2)\n\t"
               "jalr  a3\n\t"
               "mv    a2, s1\n\t"
               "ld    a4, 16(a2)\n\t"
               "jr    a4\n"
               "1:"
               : "+r"(message), "+r"(leaving), "+r"(target), "+r"(call)
               :
               : RT_ALL_BUT_OPERANDS);
  return message;
}

/// Lets `callee` go on as a function that is called: its return_context() comes back here, by a return that the
/// processor predicts. Returns the value given there. Both pointers come back in registers, unchanged: a caller that
/// uses them afterwards needs not fetch them from its stack, whose pointer has just been fetched from memory itself.
/// A callee that runs must not be called.
///
/// Each flow loads its own stack pointer where it goes on.
[[gnu::always_inline]] inline void* call_context(Context*& caller, Context*& callee, void* value) {
  register void* message asm("a0") = value;
  register Context* leaving asm("a1") = caller;
  register Context* target asm("a2") = callee;
  asm volatile("lla   a4, 1f\n\t"
               "sd    sp, 0(a1)\n\t"
               "sd    s0, 8(a1)\n\t"
               "sd    a4, 16(a1)\n\t"
               "ld    a4, 16(a2)\n\t"
               "jalr  a4\n"
               "1:\n\t"
               "ld    sp, 0(a1)"
               : "+r"(message), "+r"(leaving), "+r"(target)
               :
               : "a3", RT_ALL_BUT_OPERANDS);
  caller = leaving;
  callee = target;
  return message;
}

/// Stops the calling flow in `callee` and returns to the call_context() that let it go on, with the value. Returns the
/// value of the next call; the pointers are those given there.
[[gnu::always_inline]] inline void* return_context(Context*& caller, Context*& callee, void* value) {
  register void* message asm("a0") = value;
  register Context* target asm("a1") = caller;
  register Context* leaving asm("a2") = callee;
  asm volatile("lla   a4, 1f\n\t"
               "sd    sp, 0(a2)\n\t"
               "sd    s0, 8(a2)\n\t"
               "sd    a4, 16(a2)\n\t"
               "ld    s0, 8(a1)\n\t"
               "ld    ra, 16(a1)\n\t"
               "ret\n"
               "1:\n\t"
               "ld    sp, 0(a2)\n\t"
               "ld    s0, 8(a2)"
               : "+r"(message), "+r"(target), "+r"(leaving)
               :
               : "a3", RT_ALL_BUT_OPERANDS);
  caller = target;
  callee = leaving;
  return message;
}

#undef RT_ALL_BUT_OPERANDS

/// Where a new flow starts (switch.S).
extern "C" void rt_context_entry();

using Entry = void(void* value, Context& self);

/// A flow that will call entry(value, context), with the value that the first switch or call brings, on the stack below
/// `stack_top`, which must be a multiple of 16. `entry` must not return.
inline Context make_context(void* stack_top, Entry* entry) {
  auto* slot = static_cast<Entry**>(stack_top) - 2;
  *slot = entry;
  return {slot, nullptr, reinterpret_cast<void*>(rt_context_entry)};
}

} // namespace rt::arch
