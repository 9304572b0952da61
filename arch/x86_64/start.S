// void _start(void): where the kernel enters the program.
//
//   register   at entry                          here
//   rsp        initial stack, 16-byte aligned    first argument (rdi) of rt_start, then realigned for the call
//   rdx        0 for a static program            ignored
//   rbp        unspecified                       0, so that a walk along the frame pointers ends here
//
//   stack at entry          (addresses grow upwards)
//     auxiliary vector      pairs of words, ends with AT_NULL
//     0
//     envp[0..]
//     0
//     argv[0..argc-1]
//     argc                  <- rsp, what rt_start receives

        .section .text.start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined rip              // nobody called: backtraces end here
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        and     $-16, %rsp
        call    rt_start                // does not return
        ud2
        .cfi_endproc
        .size   _start, . - _start

        .section .note.GNU-stack, "", @progbits
