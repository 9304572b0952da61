#include <rt/memory/heap.hpp>
#include <rt/memory/pool.hpp>

namespace rt::heap {

Statistics statistics() {
  pool.lock.lock();
  Statistics result{pool.mapped, pool.large, pool.warm_units * unit_size};
  for (Chunk* ring : pool.chunks) {
    for (Chunk* chunk = ring; chunk; chunk = chunk->next != ring ? chunk->next : nullptr) {
      for (unsigned unit = 1; unit < units_per_chunk; ++unit) {
        const Slab* slab = slot(chunk, unit);
        const std::uint64_t owner = slab->owner.load(std::memory_order_relaxed);
        if (owner == owned_by::nobody) continue;
        const std::size_t blocks = owner == owned_by::span ? 1 : slab->used.load(std::memory_order_relaxed);
        result.in_use += blocks * slab->block_size;
      }
    }
  }
  pool.lock.unlock();
  return result;
}

} // namespace rt::heap
