#include <rt/start/tls.hpp>

namespace rt::start {

// Is called before the first thread pointer is set, so it has no canary and calls nothing; `volatile` keeps the
// compiler from turning the loop into calls of memcpy and memset.
__attribute__((no_stack_protector)) arch::ThreadControlBlock* make_tls_block(void* memory, std::uintptr_t canary) {
  const std::uintptr_t mask = tls_block_alignment() - 1;
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  std::uintptr_t variables, control;
  if constexpr (arch::tls_above_thread_pointer) {
    variables = (at + sizeof(arch::ThreadControlBlock) + mask) & ~mask;
    control = variables - sizeof(arch::ThreadControlBlock);
  } else {
    control = (at + rt_tls_layout.size + mask) & ~mask;
    variables = control - rt_tls_layout.size;
  }
  auto* word = reinterpret_cast<volatile std::uint64_t*>(variables);
  const std::size_t initialised = rt_tls_layout.template_size / sizeof *word, words = rt_tls_layout.size / sizeof *word;
  for (std::size_t i = 0; i < words; ++i) word[i] = i < initialised ? rt_tls_template[i] : 0;
  auto* block = reinterpret_cast<arch::ThreadControlBlock*>(control);
  block->self = block;
  arch::set_canary(block, canary);
  return block;
}

} // namespace rt::start
