#include <rt/kernel/cpus.hpp>

#include <arch/syscall.hpp>
#include <bit>
#include <cstdint>

namespace rt {

unsigned cpu_count() {
  std::uint64_t mask[128] = {}; // 8192 CPUs, the most that Linux is built for
  const long bytes = arch::syscall(__NR_sched_getaffinity, 0, sizeof mask, reinterpret_cast<long>(mask));
  unsigned count = 0;
  for (long i = 0; i * 8 < bytes; ++i) count += static_cast<unsigned>(std::popcount(mask[i]));
  return count ? count : 1;
}

} // namespace rt
