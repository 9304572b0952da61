#pragma once
// The context switch on aarch64: one flow of control stops here, another goes on where it stopped.
//
//   register     at the switch                                    who keeps it
//   sp           the stack of the flow                            Context::stack_pointer
//   x29          its frame pointer                                Context::frame_pointer
//   pc           where it goes on                                 Context::resume_address
//   x0           the value that travels, both ways                nobody: it is the message
//   x2           the context that goes on                         nobody: a new flow learns it that way
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
// The switch ends in `br` and not in `ret`: the processor predicts a return by the calls it has seen, and a return to
// anywhere else costs it a refill of its pipeline. Only Generator's resume and yield do nest as a call and its return
// do; they have a pair of their own. Where an indirect branch may land stands a `bti` (a hint that older processors
// ignore). The control word (fpcr) is a thread's, not a flow's: all flows of a thread share it.

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
  "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20",     \
      "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",   \
      "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",    \
      "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc"

/// Stops the calling flow in `from` and lets `to` go on, whose call returns `value`. Returns the value that is given to
/// whoever switches back to `from`.
[[gnu::always_inline]] inline void* switch_context(Context& from, const Context& to, void* value) {
  register void* message asm("x0") = value;
  register Context* leaving asm("x1") = &from;
  register const Context* target asm("x2") = &to;
  asm volatile("adr   x4, 1f\n\t"
               "mov   x5, sp\n\t"
               "stp   x5, x29, [x1]\n\t"
               "str   x4, [x1, #16]\n\t"
               "ldp   x5, x29, [x2]\n\t"
               "ldr   x4, [x2, #16]\n\t"
               "mov   sp, x5\n\t"
               "br    x4\n"
               "1:\n\t"
               "hint  #36" // bti j
               : "+r"(message), "+r"(leaving), "+r"(target)
               :
               : "x3", RT_ALL_BUT_OPERANDS);
  return message;
}

/// The same, but what `to` gets is hook(value), called on its stack when the calling flow has left its own: there the
/// leaver's stack can be given away.
[[gnu::always_inline]] inline void* switch_context(Context& from, const Context& to, void* value,
                                                   void* (*hook)(void*)) {
  register void* message asm("x0") = value;
  register Context* leaving asm("x1") = &from;
  register const Context* target asm("x2") = &to;
  register void* (*call)(void*)asm("x3") = hook;
  asm volatile("adr   x4, 1f\n\t"
               "mov   x5, sp\n\t"
               "stp   x5, x29, [x1]\n\t"
               "str   x4, [x1, #16]\n\t"
               "mov   x19, x2\n\t" // a call keeps x19
               "ldp   x5, x29, [x2]\n\t"
               "mov   sp, x5\n\t"
               "blr   x3\n\t"
               "mov   x2, x19\n\t"
               "ldr   x4, [x2, #16]\n\t"
               "br    x4\n"
               "1:\n\t"
               "hint  #36" // bti j
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
  register void* message asm("x0") = value;
  register Context* leaving asm("x1") = caller;
  register Context* target asm("x2") = callee;
  asm volatile("adr   x4, 1f\n\t"
               "mov   x5, sp\n\t"
               "stp   x5, x29, [x1]\n\t"
               "str   x4, [x1, #16]\n\t"
               "ldr   x4, [x2, #16]\n\t"
               "blr   x4\n"
               "1:\n\t"
               "ldr   x5, [x1]\n\t"
               "mov   sp, x5"
               : "+r"(message), "+r"(leaving), "+r"(target)
               :
               : "x3", RT_ALL_BUT_OPERANDS);
  caller = leaving;
  callee = target;
  return message;
}

/// Stops the calling flow in `callee` and returns to the call_context() that let it go on, with the value. Returns the
/// value of the next call; the pointers are those given there.
[[gnu::always_inline]] inline void* return_context(Context*& caller, Context*& callee, void* value) {
  register void* message asm("x0") = value;
  register Context* target asm("x1") = caller;
  register Context* leaving asm("x2") = callee;
  asm volatile("adr   x4, 1f\n\t"
               "mov   x5, sp\n\t"
               "stp   x5, x29, [x2]\n\t"
               "str   x4, [x2, #16]\n\t"
               "ldp   x29, x30, [x1, #8]\n\t"
               "ret\n"
               "1:\n\t"
               "hint  #34\n\t" // bti c
               "ldp   x5, x29, [x2]\n\t"
               "mov   sp, x5"
               : "+r"(message), "+r"(target), "+r"(leaving)
               :
               : "x3", RT_ALL_BUT_OPERANDS);
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
