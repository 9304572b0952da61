// The part of the context switch that is not inline in switch.hpp.

        .text
        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs

// void rt_context_entry(): a flow's first instruction, reached by the jump of the first switch to it, or by the first
// call of it, which leaves the loading of the callee's stack to the callee.
//
//   register   here                             for entry(value, context)
//   a0         the value of the first switch    its first argument already
//   a2         the context                      its second one, in a1
//   s0         anything                        0, from make_context: a walk along the frames ends here
//   sp         anything                        of the new stack, 16-byte aligned
//
//   new stack              (addresses grow upwards)
//     what the owner keeps <- stack_top of make_context
//     unused
//     entry                <- sp

        .section .text.rt_context_entry, "ax", @progbits
        .globl  rt_context_entry
        .hidden rt_context_entry
        .type   rt_context_entry, @function
rt_context_entry:
        .cfi_startproc
        .cfi_undefined ra               // nobody called: backtraces end here
        ld      sp, 0(a2)
        ld      s0, 8(a2)
        mv      a1, a2
        ld      a4, 0(sp)
        jalr    a4                      // does not return
        unimp
        .cfi_endproc
        .size   rt_context_entry, . - rt_context_entry

        .section .note.GNU-stack, "", @progbits
