#pragma once
// System calls on x86_64.
//
//   number  arguments 1..6              result            destroyed by the instruction
//   rax     rdi rsi rdx r10 r8 r9       rax (-errno)      rcx (return address), r11 (flags)
//
// (The C calling convention has its fourth argument in rcx; the kernel takes r10 because `syscall` overwrites rcx.)

#include <asm/unistd.h>

namespace rt::arch {

inline long syscall(long number, long a = 0, long b = 0, long c = 0) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

inline long syscall(long number, long a, long b, long c, long d, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

} // namespace rt::arch
