#pragma once
// The pool: what threads share. Chunks with their free units, and shelves of slabs that have lost their owner.
//
// A chunk is mapped when no other has enough adjoining free units. Chunks with warm units, that is free ones which
// still have memory, are used first. When there are more warm units than warm_limit() allows, those of the chunk that
// has had some for longest are taken out of it, as if somebody used them, given to the kernel without the lock held,
// and put back as cold ones; the address space stays. A chunk none of whose units is used is unmapped in place of that.
//
// An empty Pool is all zeros.

#include <rt/base/futex_lock.hpp>
#include <rt/memory/slab.hpp>

namespace rt::heap {

struct Pool {
  FutexLock lock;        // for all that follows, the Chunk of each chunk, and the slabs on the shelves
  Chunk* chunks[3] = {}; // rings: with warm units, with cold ones only, full
  Slab* shelves[class_count] = {};
  std::size_t mapped = 0; // bytes
  std::size_t large = 0;  // usable bytes in live large blocks
  std::size_t used_units = 0;
  std::size_t warm_units = 0;
};
[[gnu::visibility("hidden")]] extern constinit Pool pool; // read without a table of addresses

/// 4 MiB, and a quarter of what is used: a program whose needs vary that much does not trouble the kernel.
inline std::size_t warm_limit() { return 64 + pool.used_units / 4; }

/// `count` adjoining units, 1 to 32, with the slot of the first; nullptr when the kernel has no more memory. The lock
/// is held, and the caller fills the slot before it unlocks.
Slab* take_units(unsigned count);

/// The lock is not held, and the slot's owner is nobody.
void put_units(Slab* first, unsigned count);

/// A block of more than small_limit and at most span_limit bytes, aligned to a unit.
void* allocate_span(std::size_t size);
void deallocate_span(Slab* first);

/// A block of any size or alignment, with a mapping of its own (large.cpp).
void* allocate_large(std::size_t size, std::size_t alignment);
void deallocate_large(Slab* slab);
/// Usable bytes of the block that the slot describes.
std::size_t large_size(const Slab* slab);

/// Maps `length` bytes of zeros so that `lead` bytes after their start there is a multiple of `alignment`; all are
/// multiples of the page size. nullptr when the kernel refuses.
std::byte* map_aligned(std::size_t length, std::size_t alignment, std::size_t lead, int flags);

/// Unmaps, or at least gives the memory back: to cut a hole can need one mapping more than the process may have.
void unmap(std::byte* start, std::size_t length);

} // namespace rt::heap
