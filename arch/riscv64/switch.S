// The parts of the context switch that are not inline in switch.hpp.

        .text
        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs

// void rt_context_entry(): a flow's first instruction, reached by the jump of the first switch to it.
//
//   register   here                             for entry(value, context)
//   a0         the value of the first switch    its first argument already
//   a2         the context                      its second one, in a1
//   s0         0, from make_context             its caller's frame pointer: a walk along the frames ends here
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
        .cfi_undefined ra               // nobody called: backtraces end here
        mv      a1, a2
        ld      a4, 0(sp)
        jalr    a4                      // does not return
        unimp
        .cfi_endproc
        .size   rt_context_entry, . - rt_context_entry

// rt_call_context: the middle of call_context(), reached by its `call`, so that the return address lies in the
// processor's stack of predicted returns.
//
//   register   here                   after
//   a1         Context* caller        the same: for the callee
//   a2         Context* callee        the same: for the callee
//   a0         value                  the same: for the callee
//   ra         return address         in caller.resume_address; the `ret` of return_context() takes it from there
//   sp         the caller's stack     the callee's

        .section .text.rt_call_context, "ax", @progbits
        .globl  rt_call_context
        .hidden rt_call_context
        .type   rt_call_context, @function
rt_call_context:
        .cfi_startproc
        sd      sp, 0(a1)
        sd      s0, 8(a1)
        sd      ra, 16(a1)
        ld      sp, 0(a2)
        ld      s0, 8(a2)
        ld      a4, 16(a2)
        lla     a5, rt_context_runs
        sd      a5, 16(a2)              // until return_context() stores another
        jr      a4
        .cfi_endproc
        .size   rt_call_context, . - rt_call_context

// rt_context_runs: where a flow that runs is called to, as it has called itself. Its stack is in use by later frames,
// but nothing returns from here.

        .section .text.rt_context_runs, "ax", @progbits
        .type   rt_context_runs, @function
rt_context_runs:
        .cfi_startproc
        .cfi_undefined ra
        call    rt_report_running_context
        unimp
        .cfi_endproc
        .size   rt_context_runs, . - rt_context_runs

        .section .note.GNU-stack, "", @progbits
