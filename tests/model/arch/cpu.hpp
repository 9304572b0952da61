#pragma once
// The simulated machine's CPU, under the name by which all code includes its own.

#include <cstddef>

namespace model {
void pause();
}

namespace rt::arch {

inline constexpr char name[] = "model";

inline constexpr std::size_t cache_line = 64;
inline constexpr std::size_t min_page_size = 4096;
inline constexpr std::size_t max_page_size = 4096;

/// Not in any vDSO: the clock is read by a system call.
inline constexpr char vdso_clock_gettime[] = "none on the simulated machine";

/// A spin is worth a few looks here: more of them find nothing new.
inline constexpr int pauses_per_microsecond = 1;
/// Lets the others run until one of them has written something.
inline void pause() { ::model::pause(); }

} // namespace rt::arch
