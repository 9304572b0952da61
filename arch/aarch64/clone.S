// long rt_clone(unsigned long flags, void* stack, int* parent_tid, int* child_tid, void* thread_pointer,
//               void (*entry)(void*), void* argument);
//
// clone(2) with a function to run in the child: the child must not return through the caller's frame, which is not
// on its stack. Returns the child's id, or -errno, in the parent.
//
//   argument         C calling convention     clone(2)
//   flags            x0                       x0
//   stack            x1                       x1
//   parent_tid       x2                       x2
//   child_tid        x3                       x4
//   thread_pointer   x4                       x3
//   entry            x5                       (kept in x5: only x0 changes in a system call)
//   argument         x6                       (kept in x6)
//
//   The child's registers are the parent's except x0 = 0 and sp = stack. The child then clears x29 and x30, which ends
//   its chain of frames.
//
//   child's stack on entry to entry():   stack (16-byte aligned)   <- sp

        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs
        .section .text.rt_clone, "ax", @progbits
        .globl  rt_clone
        .hidden rt_clone
        .type   rt_clone, @function
rt_clone:
        .cfi_startproc
        hint    #34                     // bti c
        mov     x7, x3
        mov     x3, x4
        mov     x4, x7
        mov     x8, #220                // __NR_clone
        svc     #0
        cbz     x0, 1f
        ret
        .cfi_endproc
1:
        .cfi_startproc
        .cfi_undefined x30              // a thread's first frame
        mov     x29, #0
        mov     x30, #0
        mov     x0, x6
        blr     x5                      // does not return
        brk     #1
        .cfi_endproc
        .size   rt_clone, . - rt_clone

        .section .note.GNU-stack, "", @progbits

// Every indirect entry above has a landing pad, and no return address is kept in memory.
        .section .note.gnu.property, "a", @note
        .balign 8
        .long   4, 16, 5                // sizes of name and properties; NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 3, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI | PAC
