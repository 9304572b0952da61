// void _start(void): where the kernel enters the program.
//
//   register   at entry                          here
//   sp         initial stack, 16-byte aligned    first argument (a0) of rt_start; stays as it is
//   a0         0                                 ignored
//   gp         unspecified                       __global_pointer$, which the linker may address variables from
//   s0, ra     unspecified                       0, so that a walk along the frame pointers ends here
//
//   stack at entry          (addresses grow upwards)
//     auxiliary vector      pairs of words, ends with AT_NULL
//     0
//     envp[0..]
//     0
//     argv[0..argc-1]
//     argc                  <- sp, what rt_start receives

        .section .text.start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined ra               // nobody called: backtraces end here
        .option push
        .option norelax                 // or the linker would address gp's own value from gp
        lla     gp, __global_pointer$
        .option pop
        li      s0, 0
        li      ra, 0
        mv      a0, sp
        call    rt_start                // does not return
        unimp
        .cfi_endproc
        .size   _start, . - _start

        .section .note.GNU-stack, "", @progbits
