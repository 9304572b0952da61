// The parts of the context switch that are not inline in switch.hpp.

        .text
        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs

// void rt_context_entry(): a flow's first instruction, reached by the jump of the first switch to it.
//
//   register   here                             for entry(value, context)
//   rdi        the value of the first switch    its first argument already
//   rcx        the context                      its second one, in rsi
//   rbp        0, from make_context             its caller's frame pointer: a walk along the frames ends here
//   rsp        16-byte aligned
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
        mov     %rcx, %rsi
        call    *(%rsp)                 // does not return
        ud2
        .cfi_endproc
        .size   rt_context_entry, . - rt_context_entry

// rt_call_context: the middle of call_context(), reached by its `call`, so that the return address lies on the
// caller's stack and in the processor's stack of predicted returns.
//
//   register   here                   after
//   rax        Context* caller        the same: for the callee
//   rcx        Context* callee        the same: for the callee
//   rdi        value                  the same: for the callee
//   rsp        the caller's stack     the callee's
//
//   caller's stack
//     frames ...
//     128 bytes of red zone
//     return address       <- caller.stack_pointer; the `ret` of return_context() takes it from here

        .section .text.rt_call_context, "ax", @progbits
        .globl  rt_call_context
        .hidden rt_call_context
        .type   rt_call_context, @function
rt_call_context:
        .cfi_startproc
        mov     %rsp, 0(%rax)
        mov     %rbp, 8(%rax)
        mov     0(%rcx), %rsp
        mov     8(%rcx), %rbp
        mov     16(%rcx), %rdx
        lea     rt_context_runs(%rip), %rsi
        mov     %rsi, 16(%rcx)          // until return_context() stores another
        jmp     *%rdx
        .cfi_endproc
        .size   rt_call_context, . - rt_call_context

// rt_context_runs: where a flow that runs is called to, as it has called itself. Its stack is in use by later frames,
// but nothing returns from here.

        .section .text.rt_context_runs, "ax", @progbits
        .type   rt_context_runs, @function
rt_context_runs:
        .cfi_startproc
        .cfi_undefined rip
        and     $-16, %rsp
        call    rt_report_running_context
        ud2
        .cfi_endproc
        .size   rt_context_runs, . - rt_context_runs

        .section .note.GNU-stack, "", @progbits
