#pragma once
// The dynamic relocations of a static position-independent program: RELATIVE ones only, for pointers in initialised
// data such as vtables.

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <cstdint>
#include <elf.h>
#include <linux/mman.h>

namespace rt::start {

extern "C" {
[[gnu::visibility("hidden")]] extern const char __ehdr_start[]; // the image: address 0 of the program as linked
[[gnu::visibility("hidden")]] extern const Elf64_Rela rt_relocations[], rt_relocations_end[];
[[gnu::visibility("hidden")]] extern char rt_read_only_after_start[], rt_read_only_after_start_end[];
}

[[gnu::always_inline]] inline void relocate() {
  if (+rt_relocations == +rt_relocations_end) return;
  const auto image = reinterpret_cast<std::uintptr_t>(__ehdr_start);
  for (auto* relocation = rt_relocations; relocation != rt_relocations_end; ++relocation)
    *reinterpret_cast<std::uintptr_t*>(image + relocation->r_offset) = image + relocation->r_addend;
  const auto start = reinterpret_cast<std::uintptr_t>(rt_read_only_after_start);
  const auto end = reinterpret_cast<std::uintptr_t>(rt_read_only_after_start_end);
  // Where only variables were relocated there are no such pages, and variables lie there instead.
  if (start >= end) return;
  const auto begin = start & -arch::min_page_size;
  arch::syscall(__NR_mprotect, static_cast<long>(begin), static_cast<long>(end - begin), PROT_READ);
}

} // namespace rt::start
