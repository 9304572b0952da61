// The part of the context switch that is not inline in switch.hpp.

        .text
        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs

// void rt_context_entry(): a flow's first instruction, reached by the jump of the first switch to it, or by the first
// call of it, which leaves the loading of the callee's stack to the callee.
//
//   register   here                             for entry(value, context)
//   rdi        the value of the first switch    its first argument already
//   rcx        the context                      its second one, in rsi
//   rbp        anything                        0, from make_context: a walk along the frames ends here
//   rsp        anything                        of the new stack, 16-byte aligned
//
//   new stack              (addresses grow upwards)
//     what the owner keeps <- stack_top of make_context
//     unused
//     entry                <- rsp
//     return address of the call

        .section .text.rt_context_entry, "ax", @progbits
        .globl  rt_context_entry
        .hidden rt_context_entry
        .type   rt_context_entry, @function
rt_context_entry:
        .cfi_startproc
        .cfi_undefined rip              // nobody called: backtraces end here
        mov     0(%rcx), %rsp
        mov     8(%rcx), %rbp
        mov     %rcx, %rsi
        call    *(%rsp)                 // does not return
        ud2
        .cfi_endproc
        .size   rt_context_entry, . - rt_context_entry

        .section .note.GNU-stack, "", @progbits
