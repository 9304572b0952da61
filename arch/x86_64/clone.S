// long rt_clone(unsigned long flags, void* stack, int* parent_tid, int* child_tid, void* thread_pointer,
//               void (*entry)(void*), void* argument);
//
// clone(2) with a function to run in the child: the child must not return through the caller's frame, which is not
// on its stack. Returns the child's id, or -errno, in the parent.
//
//   argument         C calling convention     clone(2)
//   flags            rdi                      rdi
//   stack            rsi                      rsi
//   parent_tid       rdx                      rdx
//   child_tid        rcx                      r10
//   thread_pointer   r8                       r8
//   entry            r9                       (kept in r9: only rax, rcx and r11 change in a system call)
//   argument         8(%rsp)                  (kept in rbp)
//
//   The child's registers are the parent's except rax = 0 and rsp = stack, so whatever must cross is held in a
//   register that the system call keeps: entry in r9, argument in rbp after saving the caller's rbp in the
//   parent's frame. The child then clears rbp, which ends its chain of frames.
//
//   child's stack on entry to entry():   stack (16-byte aligned)
//                                        return address of `call *%r9`   <- rsp

        .cfi_sections .eh_frame, .debug_frame // the latter for debuggers of bare programs
        .section .text.rt_clone, "ax", @progbits
        .globl  rt_clone
        .hidden rt_clone
        .type   rt_clone, @function
rt_clone:
        .cfi_startproc
        push    %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        mov     16(%rsp), %rbp          // argument
        mov     %rcx, %r10
        mov     $56, %eax               // __NR_clone
        syscall
        test    %eax, %eax
        jz      1f
        pop     %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        ret
        .cfi_endproc
1:
        .cfi_startproc
        .cfi_undefined rip              // a thread's first frame
        mov     %rbp, %rdi
        xor     %ebp, %ebp
        call    *%r9                    // does not return
        ud2
        .cfi_endproc
        .size   rt_clone, . - rt_clone

        .section .note.GNU-stack, "", @progbits
