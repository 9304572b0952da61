#pragma once
// Facts about the CPU, and single instructions that C++ has no name for.

#include <cstddef>

namespace rt::arch {

inline constexpr char name[] = "aarch64";

/// Bytes that two cores cannot write independently.
inline constexpr std::size_t cache_line = 64;

/// Smallest and largest page size of the CPU under Linux.
inline constexpr std::size_t min_page_size = 4096;
inline constexpr std::size_t max_page_size = 65536;

/// The clock's name in the vDSO.
inline constexpr char vdso_clock_gettime[] = "__kernel_clock_gettime";

/// Tells the core that this is a spin-wait loop. `yield` would, but does nothing on cores with one thread; `isb` waits
/// for the pipeline to run empty, some tens of cycles.
inline constexpr int pauses_per_microsecond = 40;
inline void pause() { asm volatile("isb" ::: "memory"); }

} // namespace rt::arch
