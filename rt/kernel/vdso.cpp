#include <rt/kernel/vdso.hpp>

#include <cstdint>
#include <linux/elf.h>

namespace rt::kernel {

// The dynamic section leads to the symbols and their names. They are counted by the section headers: the kernel maps
// the whole file, which is one or two pages.
void* find_in_vdso(const void* image, std::string_view name) {
  const auto* base = static_cast<const char*>(image);
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(base);
  const auto* section = reinterpret_cast<const Elf64_Shdr*>(base + header->e_shoff);
  for (const auto* end = section + header->e_shnum; section != end; ++section) {
    if (section->sh_type != SHT_DYNSYM) continue;
    const auto* names = base + reinterpret_cast<const Elf64_Shdr*>(base + header->e_shoff)[section->sh_link].sh_offset;
    const auto* symbol = reinterpret_cast<const Elf64_Sym*>(base + section->sh_offset);
    for (const auto* last = symbol + section->sh_size / sizeof *symbol; symbol != last; ++symbol)
      if (symbol->st_shndx != SHN_UNDEF && name == names + symbol->st_name)
        return const_cast<char*>(base) + symbol->st_value;
  }
  return nullptr;
}

} // namespace rt::kernel
