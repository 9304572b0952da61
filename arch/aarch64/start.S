// void _start(void): where the kernel enters the program.
//
//   register   at entry                          here
//   sp         initial stack, 16-byte aligned    first argument (x0) of rt_start; stays as it is
//   x0         0 for a static program            ignored
//   x29, x30   unspecified                       0, so that a walk along the frame pointers ends here
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
        .cfi_undefined x30              // nobody called: backtraces end here
        hint    #34                     // bti c
        mov     x29, #0
        mov     x30, #0
        mov     x0, sp
        bl      rt_start                // does not return
        brk     #1
        .cfi_endproc
        .size   _start, . - _start

        .section .note.GNU-stack, "", @progbits

// Every indirect entry above has a landing pad, and no return address is kept in memory.
        .section .note.gnu.property, "a", @note
        .balign 8
        .long   4, 16, 5                // sizes of name and properties; NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 3, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI | PAC
