#pragma once
// The dynamic relocations of a static position-independent program: RELATIVE ones only, for pointers in initialised
// data such as vtables.

#include <rt/base/hook.hpp>

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <cstdint>
#include <elf.h>
#include <linux/auxvec.h>
#include <linux/mman.h>

namespace rt::start {

extern "C" {
[[gnu::visibility("hidden")]] extern const char __ehdr_start[]; // the image: address 0 of the program as linked
[[gnu::visibility("hidden")]] extern const Elf64_Rela rt_relocations[], rt_relocations_end[];
[[gnu::visibility("hidden")]] extern char rt_read_only_after_start[], rt_read_only_after_start_end[];
}

// mprotect(2) takes whole pages, of the size that this kernel was built for.
[[gnu::always_inline]] inline std::uintptr_t page_size(const InitialStack& stack) {
  if constexpr (arch::min_page_size != arch::max_page_size)
    for (auto* entry = stack.auxiliary_vector(); entry[0] != AT_NULL; entry += 2)
      if (entry[0] == AT_PAGESZ) return entry[1];
  return arch::min_page_size;
}

[[gnu::always_inline]] inline void relocate(const InitialStack& stack) {
  if (+rt_relocations == +rt_relocations_end) return;
  const auto image = reinterpret_cast<std::uintptr_t>(__ehdr_start);
  for (auto* relocation = rt_relocations; relocation != rt_relocations_end; ++relocation)
    *reinterpret_cast<std::uintptr_t*>(image + relocation->r_offset) = image + relocation->r_addend;
  const auto start = reinterpret_cast<std::uintptr_t>(rt_read_only_after_start);
  const auto end = reinterpret_cast<std::uintptr_t>(rt_read_only_after_start_end);
  // Where only variables were relocated there are no such pages, and variables lie there instead.
  if (start >= end) return;
  const auto begin = start & -page_size(stack);
  arch::syscall(__NR_mprotect, static_cast<long>(begin), static_cast<long>(end - begin), PROT_READ);
}

} // namespace rt::start
