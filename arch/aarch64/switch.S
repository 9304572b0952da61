// The part of the context switch that is not inline in switch.hpp.

        .text
        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs

// void rt_context_entry(): a flow's first instruction, reached by the jump of the first switch to it, or by the first
// call of it, which leaves the loading of the callee's stack to the callee.
//
//   register   here                             for entry(value, context)
//   x0         the value of the first switch    its first argument already
//   x2         the context                      its second one, in x1
//   x29        anything                        0, from make_context: a walk along the frames ends here
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
        .cfi_undefined x30              // nobody called: backtraces end here
        hint    #38                     // bti jc
        ldp     x5, x29, [x2]
        mov     sp, x5
        mov     x1, x2
        ldr     x4, [sp]
        blr     x4                      // does not return
        brk     #1
        .cfi_endproc
        .size   rt_context_entry, . - rt_context_entry

        .section .note.GNU-stack, "", @progbits

// Every place above that is reached by a jump has a landing pad, and no return address is signed.
        .section .note.gnu.property, "a", @note
        .balign 8
        .long   4, 16, 5                // sizes of name and properties; NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 3, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI | PAC
