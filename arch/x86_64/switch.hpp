#pragma once
// The context switch on x86_64: one flow of control stops here, another goes on where it stopped.
//
//   register     at the switch                                    who keeps it
//   rsp          the stack of the flow                            Context::stack_pointer
//   rbp          its frame pointer                                Context::frame_pointer
//   rip          where it goes on                                 Context::resume_address
//   rdi          the value that travels, both ways                nobody: it is the message
//   rcx          the context that goes on                         nobody: a new flow learns it that way
//   all others   whatever the compiler had in them                the compiler: they are listed as overwritten, so it
//                                                                 spills those that it still needs, and no other
//
// The stack before and after (nothing is pushed: a function may have data in the red zone below its stack pointer):
//
//   from's stack                 to's stack
//     frames ...                   frames ...
//     spilled values               spilled values
//     <- from.stack_pointer        <- to.stack_pointer, rsp after the switch
//
// The switch ends in a jump through memory and not in `ret`: the processor predicts a return by the calls it has seen,
// and a return to anywhere else costs it some eight nanoseconds. Only Generator's resume and yield do nest as a call
// and its return do; they have a pair of their own. Control words (mxcsr, x87) are a thread's, not a flow's: all flows
// of a thread share them.

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
  "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rbx", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",   \
      "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "memory",    \
      "cc"

/// Stops the calling flow in `from` and lets `to` go on, whose call returns `value`. Returns the value that is given to
/// whoever switches back to `from`.
[[gnu::always_inline]] inline void* switch_context(Context& from, const Context& to, void* value) {
  Context* leaving = &from;
  const Context* target = &to;
  asm volatile("lea   1f(%%rip), %%rdx\n\t"
               "mov   %%rsp, 0(%%rax)\n\t"
               "mov   %%rbp, 8(%%rax)\n\t"
               "mov   %%rdx, 16(%%rax)\n\t"
               "mov   0(%%rcx), %%rsp\n\t"
               "mov   8(%%rcx), %%rbp\n\t"
               "jmp   *16(%%rcx)\n"
               "1:"
               : "+D"(value), "+a"(leaving), "+c"(target)
               :
               : RT_ALL_BUT_OPERANDS);
  return value;
}

/// The same, but what `to` gets is hook(value), called on its stack when the calling flow has left its own: there the
/// leaver's stack can be given away.
[[gnu::always_inline]] inline void* switch_context(Context& from, const Context& to, void* value,
                                                   void* (*hook)(void*)) {
  Context* leaving = &from;
  const Context* target = &to;
  asm volatile("lea   1f(%%rip), %%rsi\n\t"
               "mov   %%rsp, 0(%%rax)\n\t"
               "mov   %%rbp, 8(%%rax)\n\t"
               "mov   %%rsi, 16(%%rax)\n\t"
               "mov   %%rcx, %%rbx\n\t" // a call keeps rbx
               "mov   0(%%rcx), %%rsp\n\t"
               "mov   8(%%rcx), %%rbp\n\t"
               "lea   -128(%%rsp), %%rsp\n\t" // below the red zone
               "and   $-16, %%rsp\n\t"
               "call  *%%rdx\n\t"
               "mov   %%rax, %%rdi\n\t"
               "mov   %%rbx, %%rcx\n\t"
               "mov   0(%%rcx), %%rsp\n\t"
               "jmp   *16(%%rcx)\n"
               "1:"
               : "+D"(value), "+a"(leaving), "+c"(target), "+d"(hook)
               :
               : "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rbx", "xmm0", "xmm1", "xmm2", "xmm3",
                 "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
                 "st", "memory", "cc");
  return value;
}

/// Lets `callee` go on as a function that is called: its return_context() comes back here, by a return that the
/// processor predicts. Returns the value given there. Both pointers come back in registers, unchanged: a caller that
/// uses them afterwards needs not fetch them from its stack, whose pointer has just been fetched from memory itself.
/// A callee that runs must not be called.
///
///   caller's stack
///     frames ...
///     <- caller.stack_pointer
///     128 bytes of red zone
///     return address       <- rsp of the `ret` in return_context()
///
/// Each flow loads its own stack pointer where it goes on. Then what a caller has is stored and loaded once in a step:
/// nothing is added to it in between, which the next step would have to wait for.
[[gnu::always_inline]] inline void* call_context(Context*& caller, Context*& callee, void* value) {
  asm volatile("mov   %%rsp, 0(%%rax)\n\t"
               "mov   %%rbp, 8(%%rax)\n\t"
               "lea   -128(%%rsp), %%rsp\n\t" // below the red zone
               "call  *16(%%rcx)\n\t"
               "mov   0(%%rax), %%rsp"
               : "+D"(value), "+a"(caller), "+c"(callee)
               :
               : RT_ALL_BUT_OPERANDS);
  return value;
}

/// Stops the calling flow in `callee` and returns to the call_context() that let it go on, with the value. Returns the
/// value of the next call; the pointers are those given there.
[[gnu::always_inline]] inline void* return_context(Context*& caller, Context*& callee, void* value) {
  asm volatile("lea   1f(%%rip), %%rdx\n\t"
               "mov   %%rsp, 0(%%rcx)\n\t"
               "mov   %%rbp, 8(%%rcx)\n\t"
               "mov   %%rdx, 16(%%rcx)\n\t"
               "mov   0(%%rax), %%rdx\n\t"
               "mov   8(%%rax), %%rbp\n\t"
               "lea   -136(%%rdx), %%rsp\n\t" // in one step: a signal overwrites what is below the red zone
               "ret\n"
               "1:\n\t"
               "mov   0(%%rcx), %%rsp\n\t"
               "mov   8(%%rcx), %%rbp"
               : "+D"(value), "+a"(caller), "+c"(callee)
               :
               : RT_ALL_BUT_OPERANDS);
  return value;
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
