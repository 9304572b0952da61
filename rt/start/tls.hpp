#pragma once
// Thread-local storage: how one thread's block is laid out and filled.
//
// The linker script leaves the template (.tdata) and its measures in the program; a block is a copy of the template,
// zeros for .tbss, and the control block that the thread pointer leads to.
//
//   x86_64 (variables below)           [.tdata copy | zeros] [ThreadControlBlock]
//                                                            ^ thread pointer
//   aarch64, riscv64 (variables above) [ThreadControlBlock] [.tdata copy | zeros]

#include <arch/tls.hpp>
#include <cstddef>
#include <cstdint>

namespace rt::start {

/// Measures of the TLS segment, written by the linker script. Sizes are multiples of 8.
struct TlsLayout {
  std::uint32_t template_size; // bytes of .tdata
  std::uint32_t size;          // .tdata and .tbss, rounded up to the alignment: what the linker counts offsets from
  std::uint32_t alignment;     // of the whole
};

extern "C" {
[[gnu::visibility("hidden")]] extern const TlsLayout rt_tls_layout;
[[gnu::visibility("hidden")]] extern const std::uint64_t rt_tls_template[];
}

/// Both parts of a block have it.
[[gnu::always_inline]] inline std::size_t tls_block_alignment() {
  constexpr std::uint32_t least = 16;
  return rt_tls_layout.alignment > least ? rt_tls_layout.alignment : least;
}

/// Bytes that a block takes at most, whatever address it starts at.
[[gnu::always_inline]] inline std::size_t tls_block_size() {
  return rt_tls_layout.size + sizeof(arch::ThreadControlBlock) + tls_block_alignment();
}

/// Lays a block out in `memory` and returns its control block. Is used before the first thread pointer is set, so it
/// calls nothing; `volatile` keeps the compiler from turning the loops into calls of memcpy and memset.
[[gnu::always_inline]] inline arch::ThreadControlBlock* make_tls_block(void* memory, std::uintptr_t canary) {
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
