#pragma once
// What a DEBUG build (RT_DEBUG=1) of the heap verifies: that only addresses which are live blocks are freed.
//
// A bit for each 16 bytes of a chunk (in the chunk's first unit, after the slots) tells whether a live block begins
// there; it is changed by one atomic instruction, so of two threads that free the same block one is found out. A map of
// the whole address space, one bit for each 4 MiB, tells which are chunks or large blocks, so that no wild address is
// followed. New blocks are filled with 0xcd and freed ones with 0xdd, except large ones, whose memory comes from the
// kernel as zeros and goes back to it.

#include <rt/memory/slab.hpp>

namespace rt::heap {

#if RT_DEBUG
inline constexpr bool checking = true;
#else
inline constexpr bool checking = false;
#endif

} // namespace rt::heap

namespace rt::heap::check {

/// A chunk, or a large block's mapping, begins to exist (with pool.lock held) or ceases to.
void add_region(const Chunk* chunk, std::size_t length);
void remove_region(const Chunk* chunk);

/// What the units of a new span were before must not explain an address inside it.
void forget_units_after(Slab* first);

/// The block is handed out.
void allocated(void* block);

/// The block is going to be freed (nullptr: nothing is). Panics if it is not a live block.
void freed(void* block);

} // namespace rt::heap::check
