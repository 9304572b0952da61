// long rt_clone(unsigned long flags, void* stack, int* parent_tid, int* child_tid, void* thread_pointer,
//               void (*entry)(void*), void* argument);
//
// clone(2) with a function to run in the child: the child must not return through the caller's frame, which is not
// on its stack. Returns the child's id, or -errno, in the parent.
//
//   argument         C calling convention     clone(2)
//   flags            a0                       a0
//   stack            a1                       a1
//   parent_tid       a2                       a2
//   child_tid        a3                       a4
//   thread_pointer   a4                       a3
//   entry            a5                       (kept in a5: only a0 changes in a system call)
//   argument         a6                       (kept in a6)
//
//   The child's registers are the parent's except a0 = 0, sp = stack and tp = thread_pointer; gp is thus in place. The
//   child then clears s0 and ra, which ends its chain of frames.
//
//   child's stack on entry to entry():   stack (16-byte aligned)   <- sp

        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs
        .section .text.rt_clone, "ax", @progbits
        .globl  rt_clone
        .hidden rt_clone
        .type   rt_clone, @function
rt_clone:
        .cfi_startproc
        mv      t0, a3
        mv      a3, a4
        mv      a4, t0
        li      a7, 220                 // __NR_clone
        ecall
        beqz    a0, 1f
        ret
        .cfi_endproc
1:
        .cfi_startproc
        .cfi_undefined ra               // a thread's first frame
        li      s0, 0
        li      ra, 0
        mv      a0, a6
        jalr    a5                      // does not return
        unimp
        .cfi_endproc
        .size   rt_clone, . - rt_clone

        .section .note.GNU-stack, "", @progbits
