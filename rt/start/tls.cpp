#include <rt/start/tls.hpp>

namespace rt::start {

// Is called before the first thread pointer is set, so it has no canary and calls nothing; `volatile` keeps the
// compiler from turning the loop into calls of memcpy and memset.
__attribute__((no_stack_protector)) arch::ThreadControlBlock* make_tls_block(void* memory, std::uintptr_t canary) {
  // lld keeps the empty .tdata of a program without such variables, and takes it for a part of the text, which would
  // then reach to the next page, unless it is empty but writable. The relocation does nothing but keep what it names.
  asm volatile(".pushsection .tdata.empty, \"awT\", %progbits\n\t"
               "rt_empty_tdata:\n\t"
               ".popsection\n\t"
               ".reloc ., BFD_RELOC_NONE, rt_empty_tdata");
  const std::uintptr_t mask = tls_block_alignment() - 1;
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  const std::ptrdiff_t offset = arch::variables_offset(rt_tls_layout.size, rt_tls_layout.alignment);
  const std::uintptr_t variables = (at + static_cast<std::uintptr_t>(offset > 0 ? offset : 0) + mask) & ~mask;
  auto* word = reinterpret_cast<volatile std::uint64_t*>(variables);
  const std::size_t initialised = rt_tls_layout.template_size / sizeof *word, words = rt_tls_layout.size / sizeof *word;
  for (std::size_t i = 0; i < words; ++i) word[i] = i < initialised ? rt_tls_template[i] : 0;
  auto* block = reinterpret_cast<arch::ThreadControlBlock*>(variables - static_cast<std::uintptr_t>(offset));
  arch::fill(block, canary);
  return block;
}

} // namespace rt::start
