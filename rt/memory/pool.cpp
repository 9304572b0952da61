#include <rt/memory/pool.hpp>

#include <rt/base/hook.hpp>
#include <rt/memory/check.hpp>

#include <arch/syscall.hpp>
#include <linux/mman.h>

#include <bit>
#include <new>

namespace rt::heap {

// The first one, aligned so that all of RT_FORK_DATA lies in one page.
RT_FORK_DATA(00) alignas(512) constinit Pool pool;

namespace {

constexpr std::uint64_t all_units = ~std::uint64_t{1}; // unit 0 holds the slots

constexpr std::uint64_t run(unsigned first, unsigned count) { return ((std::uint64_t{1} << count) - 1) << first; }

/// The first of `count` adjoining units, 0 if there is no such run.
unsigned find_run(std::uint64_t units, unsigned count) {
  // After each step a bit is set if it starts a run of `found` units.
  for (unsigned found = 1; found < count;) {
    const unsigned step = found < count - found ? found : count - found;
    units &= units >> step;
    found += step;
  }
  return units ? static_cast<unsigned>(std::countr_zero(units)) : 0;
}

Chunk*& ring_of(const Chunk* chunk) { return pool.chunks[chunk->warm ? 0 : chunk->free ? 1 : 2]; }

void set_units(Chunk* chunk, std::uint64_t free, std::uint64_t warm) {
  Chunk*& before = ring_of(chunk);
  chunk->free = free;
  chunk->warm = warm;
  Chunk*& after = ring_of(chunk);
  if (&before == &after) return;
  remove(before, chunk);
  append(after, chunk);
}

void take_out(Chunk* chunk, std::uint64_t units) {
  pool.warm_units -= static_cast<std::size_t>(std::popcount(chunk->warm & units));
  set_units(chunk, chunk->free & ~units, chunk->warm & ~units);
}

Chunk* map_chunk() {
  std::byte* memory = map_aligned(chunk_size, chunk_size, 0, MAP_NORESERVE);
  if (!memory) return nullptr;
  auto* chunk = ::new (memory) Chunk{all_units, 0, nullptr, nullptr, chunk_size};
  pool.mapped += chunk_size;
  append(ring_of(chunk), chunk);
  if constexpr (checking) check::add_region(chunk, chunk_size);
  return chunk;
}

void give_back(Chunk* chunk, std::uint64_t units) {
  while (units) {
    const auto first = static_cast<unsigned>(std::countr_zero(units));
    const auto count = static_cast<unsigned>(std::countr_one(units >> first));
    arch::syscall(__NR_madvise, reinterpret_cast<long>(memory_of(slot(chunk, first))),
                  static_cast<long>(count * unit_size), MADV_DONTNEED);
    units &= ~run(first, count);
  }
}

/// Gives the warm units of the chunk that has had some for longest to the kernel. The lock is held, but not all the
/// time.
void cool() {
  Chunk* chunk = pool.chunks[0];
  if (chunk->free != all_units) {
    const std::uint64_t warm = chunk->warm;
    take_out(chunk, warm);
    pool.lock.unlock();
    give_back(chunk, warm);
    pool.lock.lock();
    set_units(chunk, chunk->free | warm, chunk->warm);
  }
  if (chunk->free == all_units) {
    take_out(chunk, all_units);
    remove(ring_of(chunk), chunk);
    pool.mapped -= chunk_size;
    pool.lock.unlock();
    if constexpr (checking) check::remove_region(chunk);
    unmap(reinterpret_cast<std::byte*>(chunk), chunk_size);
    pool.lock.lock();
  }
}

struct Run {
  Chunk* chunk;
  unsigned first;
};

/// A run in the `free` or `warm` units of a ring's chunks.
Run find_run(Chunk* ring, std::uint64_t Chunk::*units, unsigned count) {
  for (Chunk* chunk = ring; chunk; chunk = chunk->next != ring ? chunk->next : nullptr) {
    if (const unsigned first = find_run(chunk->*units, count)) return {chunk, first};
  }
  return {nullptr, 0};
}

} // namespace

Slab* take_units(unsigned count) {
  Run found = find_run(pool.chunks[0], &Chunk::warm, count);
  if (!found.chunk) found = find_run(pool.chunks[0], &Chunk::free, count);
  if (!found.chunk) found = find_run(pool.chunks[1], &Chunk::free, count);
  if (!found.chunk) found = {map_chunk(), 1};
  if (!found.chunk) return nullptr;
  take_out(found.chunk, run(found.first, count));
  pool.used_units += count;
  return slot(found.chunk, found.first);
}

void put_units(Slab* slab, unsigned count) {
  Chunk* chunk = chunk_of(slab);
  const std::uint64_t units = run(number_of(slab), count);
  pool.lock.lock();
  set_units(chunk, chunk->free | units, chunk->warm | units);
  pool.warm_units += count;
  pool.used_units -= count;
  while (pool.warm_units > warm_limit()) cool();
  pool.lock.unlock();
}

void* allocate_span(std::size_t size) {
  const auto count = static_cast<unsigned>((size + unit_size - 1) / unit_size);
  pool.lock.lock();
  Slab* slab = take_units(count);
  if (slab) {
    ::new (slab) Slab;
    slab->block_size = static_cast<std::uint32_t>(count * unit_size);
    slab->owner.store(owned_by::span, std::memory_order_relaxed);
  }
  pool.lock.unlock();
  if constexpr (checking) {
    if (slab) check::forget_units_after(slab);
  }
  return slab ? memory_of(slab) : nullptr;
}

void deallocate_span(Slab* slab) {
  slab->owner.store(owned_by::nobody, std::memory_order_relaxed);
  put_units(slab, static_cast<unsigned>(slab->block_size / unit_size));
}

std::byte* map_aligned(std::size_t length, std::size_t alignment, std::size_t lead, int flags) {
  const std::size_t total = length + alignment;
  const long result = arch::syscall(__NR_mmap, 0, static_cast<long>(total), PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (result < 0) return nullptr;
  const auto begin = static_cast<std::size_t>(result);
  // The highest place: the kernel maps downwards, so that one chunk touches the next and they need one mapping only.
  const std::size_t start = ((begin + total - length + lead) & ~(alignment - 1)) - lead;
  const std::size_t end = start + length;
  if (start != begin) unmap(reinterpret_cast<std::byte*>(begin), start - begin);
  if (end != begin + total) unmap(reinterpret_cast<std::byte*>(end), begin + total - end);
  return reinterpret_cast<std::byte*>(start);
}

void unmap(std::byte* start, std::size_t length) {
  const auto address = reinterpret_cast<long>(start);
  const auto size = static_cast<long>(length);
  if (arch::syscall(__NR_munmap, address, size) < 0) arch::syscall(__NR_madvise, address, size, MADV_DONTNEED);
}

} // namespace rt::heap
