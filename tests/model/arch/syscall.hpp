#pragma once
// System calls of the simulated machine (tests/model/kernel.cpp): Linux's numbers, arguments and results.

#include <asm/unistd.h>

namespace model {
long syscall(long number, long a, long b, long c, long d, long e, long f);
}

namespace rt::arch {

inline long syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  return ::model::syscall(number, a, b, c, d, e, f);
}

} // namespace rt::arch
