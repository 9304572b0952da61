#pragma once
// Thread-local storage: how one thread's block is laid out and filled.
//
// The linker script leaves the template (.tdata) and its measures in the program; a block is a copy of the template,
// zeros for .tbss, and the control block that the thread pointer leads to.
//
//   variant II   [.tdata copy | zeros] [ThreadControlBlock]
//   variant I    [ThreadControlBlock] [.tdata copy | zeros]
//
// Which of them, and where exactly the thread pointer leads, <arch/tls.hpp> knows.

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

/// Of the variables' place in a block.
inline std::size_t tls_block_alignment() {
  constexpr std::uint32_t least = 16;
  return rt_tls_layout.alignment > least ? rt_tls_layout.alignment : least;
}

/// Bytes that a block takes at most, whatever address it starts at.
inline std::size_t tls_block_size() {
  return arch::block_size(rt_tls_layout.size, rt_tls_layout.alignment) + tls_block_alignment();
}

/// Lays a block out in `memory` and returns its control block.
arch::ThreadControlBlock* make_tls_block(void* memory, std::uintptr_t canary);

} // namespace rt::start
