#include <rt/memory/stack.hpp>

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <linux/mman.h>

namespace rt::memory {

Result<StackMapping> map_stack(std::size_t stack_size, std::size_t control_size) {
  constexpr std::size_t page = arch::max_page_size, most = std::size_t{1} << 40;
  if (stack_size > most) return Errc::not_enough_memory;
  const std::size_t wanted = signal_stack_size + guard_size + stack_size + control_size;
  const std::size_t size = (wanted + page - 1) / page * page;
  // The same on all CPUs but alpha, mips, parisc and xtensa.
  constexpr int map_private = 2, map_anonymous = 0x20, map_noreserve = 0x4000;
  const long address = arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                     map_private | map_anonymous | map_noreserve, -1, 0);
  if (address < 0) return Error::from_kernel(address);
  const StackMapping mapping{reinterpret_cast<char*>(address), size};
  const long guard = address + static_cast<long>(signal_stack_size);
  // MADV_GUARD_INSTALL (Linux 6.13) marks the pages without splitting the mapping; mprotect makes three mappings of it,
  // of which a process may have 65530.
  constexpr int guard_install = 102;
  if (arch::syscall(__NR_madvise, guard, guard_size, guard_install) == 0) return mapping;
  if (const long result = arch::syscall(__NR_mprotect, guard, guard_size, PROT_NONE); result < 0) {
    unmap_stack(mapping);
    return Error::from_kernel(result);
  }
  return mapping;
}

void unmap_stack(const StackMapping& mapping) {
  arch::syscall(__NR_munmap, reinterpret_cast<long>(mapping.begin), static_cast<long>(mapping.size));
}

} // namespace rt::memory
