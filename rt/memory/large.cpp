// Large blocks: each has a mapping of its own, which starts with a Chunk and the slots, as chunks do.
//
//   alignment below 4 MiB      |Chunk, slots| ... |block                  the block begins at unit 1, or at the first
//                              ^ multiple of 4 MiB                        unit that is aligned as asked for
//
//   alignment from 4 MiB on    |Chunk, slots| ... |block                  the block begins 4 MiB after the mapping
//                                                 ^ multiple of the alignment
//
// Only one page of the unit or units before the block is ever touched. The kernel counts the mapping as a promise of
// memory (no MAP_NORESERVE), so that it can refuse here rather than kill the program later.

#include <rt/memory/check.hpp>
#include <rt/memory/pool.hpp>

#include <new>

namespace rt::heap {

void* allocate_large(std::size_t size, std::size_t alignment) {
  const bool at_boundary = alignment >= chunk_size;
  const std::size_t offset = at_boundary ? chunk_size : alignment > unit_size ? alignment : unit_size;
  const std::size_t length = offset + ((size + unit_size - 1) & ~(unit_size - 1));
  std::byte* memory =
      map_aligned(length, at_boundary ? alignment : chunk_size, at_boundary ? chunk_size : 0, /*flags=*/0);
  if (!memory) return nullptr;

  auto* chunk = reinterpret_cast<Chunk*>(memory);
  pool.lock.lock();
  pool.mapped += length;
  pool.large += length - offset;
  if constexpr (checking) check::add_region(chunk, length);
  pool.lock.unlock();

  ::new (chunk) Chunk{0, 0, nullptr, nullptr, length};
  Slab* slab = slot(chunk, static_cast<unsigned>(offset / unit_size));
  ::new (slab) Slab;
  slab->owner.store(owned_by::large, std::memory_order_relaxed);
  return memory + offset;
}

void deallocate_large(Slab* slab) {
  Chunk* chunk = chunk_of(slab);
  const std::size_t length = chunk->length;
  pool.lock.lock();
  pool.mapped -= length;
  pool.large -= large_size(slab);
  pool.lock.unlock();
  if constexpr (checking) check::remove_region(chunk);
  unmap(reinterpret_cast<std::byte*>(chunk), length);
}

std::size_t large_size(const Slab* slab) { return chunk_of(slab)->length - number_of(slab) * unit_size; }

} // namespace rt::heap
