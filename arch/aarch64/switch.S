// The parts of the context switch that are not inline in switch.hpp.

        .text
        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs

// void rt_context_entry(): a flow's first instruction, reached by the jump of the first switch to it.
//
//   register   here                             for entry(value, context)
//   x0         the value of the first switch    its first argument already
//   x2         the context                      its second one, in x1
//   x29        0, from make_context             its caller's frame pointer: a walk along the frames ends here
//   sp         16-byte aligned
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
        mov     x1, x2
        ldr     x4, [sp]
        blr     x4                      // does not return
        brk     #1
        .cfi_endproc
        .size   rt_context_entry, . - rt_context_entry

// rt_call_context: the middle of call_context(), reached by its `bl`, so that the return address lies in the
// processor's stack of predicted returns.
//
//   register   here                   after
//   x1         Context* caller        the same: for the callee
//   x2         Context* callee        the same: for the callee
//   x0         value                  the same: for the callee
//   x30        return address         in caller.resume_address; the `ret` of return_context() takes it from there
//   sp         the caller's stack     the callee's

        .section .text.rt_call_context, "ax", @progbits
        .globl  rt_call_context
        .hidden rt_call_context
        .type   rt_call_context, @function
rt_call_context:
        .cfi_startproc
        mov     x5, sp
        stp     x5, x29, [x1]
        str     x30, [x1, #16]
        ldp     x5, x29, [x2]
        ldr     x4, [x2, #16]
        mov     sp, x5
        adrp    x5, rt_context_runs
        add     x5, x5, :lo12:rt_context_runs
        str     x5, [x2, #16]           // until return_context() stores another
        br      x4
        .cfi_endproc
        .size   rt_call_context, . - rt_call_context

// rt_context_runs: where a flow that runs is called to, as it has called itself. Its stack is in use by later frames,
// but nothing returns from here.

        .section .text.rt_context_runs, "ax", @progbits
        .type   rt_context_runs, @function
rt_context_runs:
        .cfi_startproc
        .cfi_undefined x30
        hint    #38                     // bti jc
        bl      rt_report_running_context
        brk     #1
        .cfi_endproc
        .size   rt_context_runs, . - rt_context_runs

        .section .note.GNU-stack, "", @progbits

// Every place above that is reached by a jump has a landing pad, and no return address is signed.
        .section .note.gnu.property, "a", @note
        .balign 8
        .long   4, 16, 5                // sizes of name and properties; NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 3, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI | PAC
