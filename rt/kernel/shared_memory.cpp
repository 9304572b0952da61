#include <rt/kernel/shared_memory.hpp>

#include <arch/syscall.hpp>
#include <linux/mman.h>

namespace rt::kernel {

Result<void*> map_shared_memory(std::size_t size) {
  // The same on all CPUs but alpha, mips, parisc and xtensa.
  constexpr int map_anonymous = 0x20, map_noreserve = 0x4000;
  const long address = arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                     MAP_SHARED | map_anonymous | map_noreserve, -1, 0);
  if (address < 0 && address > -4096) return Error::from_kernel(address);
  return reinterpret_cast<void*>(address);
}

void unmap_memory(void* begin, std::size_t size) {
  arch::syscall(__NR_munmap, reinterpret_cast<long>(begin), static_cast<long>(size));
}

void discard_shared_memory(void* begin, std::size_t size) {
  constexpr int remove = 9; // MADV_REMOVE
  arch::syscall(__NR_madvise, reinterpret_cast<long>(begin), static_cast<long>(size), remove);
}

} // namespace rt::kernel
