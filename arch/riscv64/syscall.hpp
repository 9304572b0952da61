#pragma once
// System calls on riscv64.
//
//   number  arguments 1..6              result            destroyed by the instruction
//   a7      a0 a1 a2 a3 a4 a5           a0 (-errno)       nothing else

#include <asm/unistd.h>

namespace rt::arch {

inline long syscall(long number, long a = 0, long b = 0, long c = 0) {
  register long a7 asm("a7") = number;
  register long a0 asm("a0") = a;
  register long a1 asm("a1") = b;
  register long a2 asm("a2") = c;
  asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
  return a0;
}

inline long syscall(long number, long a, long b, long c, long d, long e = 0, long f = 0) {
  register long a7 asm("a7") = number;
  register long a0 asm("a0") = a;
  register long a1 asm("a1") = b;
  register long a2 asm("a2") = c;
  register long a3 asm("a3") = d;
  register long a4 asm("a4") = e;
  register long a5 asm("a5") = f;
  asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
}

} // namespace rt::arch
