#pragma once
// Facts about the CPU, and single instructions that C++ has no name for.

#include <cstddef>

namespace rt::arch {

inline constexpr char name[] = "riscv64";

/// Bytes that two cores cannot write independently.
inline constexpr std::size_t cache_line = 64;

/// Smallest and largest page size of the CPU under Linux.
inline constexpr std::size_t min_page_size = 4096;
inline constexpr std::size_t max_page_size = 4096;

/// The clock's name in the vDSO.
inline constexpr char vdso_clock_gettime[] = "__vdso_clock_gettime";

/// Tells the core that this is a spin-wait loop: `pause` of Zihintpause, by its code, as assemblers know the name only
/// with that extension. To cores without it this is a fence that orders nothing.
inline constexpr int pauses_per_microsecond = 40;
inline void pause() { asm volatile(".4byte 0x0100000f" ::: "memory"); }

} // namespace rt::arch
