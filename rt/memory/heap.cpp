#include <rt/memory/heap.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/base/single_threaded.hpp>
#include <rt/memory/check.hpp>
#include <rt/memory/pool.hpp>
#include <rt/memory/thread_heap.hpp>

namespace rt::heap {

namespace {

constexpr std::size_t max_size = std::size_t{1} << 47; // more than any process can map; sums with it cannot overflow

[[gnu::noinline]] void* allocate_slowly(std::size_t size, std::size_t alignment) {
  if (size > max_size || alignment > max_size) return nullptr;
  if (size == 0) size = 1;
  // The class of a multiple of the alignment has blocks of a multiple of it, and its slabs begin at one.
  if (alignment > default_alignment) size = (size + alignment - 1) & ~(alignment - 1);
  if (size <= small_limit && !this_thread.released) return allocate_small(class_of(size));
  if (size <= span_limit && alignment <= unit_size) return allocate_span(size);
  return allocate_large(size, alignment);
}

[[gnu::noinline]] void deallocate_slowly(Slab* slab, void* block) {
  const std::uint64_t owner = slab->owner.load(std::memory_order_relaxed);
  if (!owned_by::is_marked(owner)) panic("free of {}, which the heap did not allocate", block);
  if (owner == owned_by::span) return deallocate_span(slab);
  if (owner == owned_by::large) return deallocate_large(slab);
  deallocate_foreign(slab, static_cast<Block*>(block));
}

[[gnu::noinline]] void deallocate_at_boundary(void* block) {
  if (block) deallocate_slowly(slab_of_block_at_boundary(block), block);
}

[[gnu::always_inline]] inline void* checked(void* block) {
  if constexpr (checking) {
    if (block) check::allocated(block);
  }
  return block;
}

} // namespace

void* allocate(std::size_t size, std::size_t alignment) {
  if (alignment <= default_alignment && size - 1 < small_limit) [[likely]] {
    Slab* slab = this_thread.slabs[class_of(size)];
    if (slab && slab->free) [[likely]]
      return checked(pop(slab));
  }
  return checked(allocate_slowly(size, alignment));
}

void deallocate(void* block) {
  if constexpr (checking) check::freed(block);
  if (at_chunk_boundary(block)) [[unlikely]]
    return deallocate_at_boundary(block);
  Slab* slab = slab_of(block);
  if (!is_own(slab)) [[unlikely]]
    return deallocate_slowly(slab, block);
  push(slab, static_cast<Block*>(block));
  if (used(slab) == 0 && this_thread.slabs[slab->size_class] != slab) [[unlikely]]
    retire(slab);
}

std::size_t usable_size(const void* block) {
  const Slab* slab = at_chunk_boundary(block) ? slab_of_block_at_boundary(block) : slab_of(block);
  return slab->owner.load(std::memory_order_relaxed) == owned_by::large ? large_size(slab) : slab->block_size;
}

void release_thread_cache() {
  for (Slab*& first : this_thread.slabs) {
    while (first) shelve(first);
  }
  this_thread.number = 0;
  this_thread.released = true;
}

void lock_all() { pool.lock.lock(); }
void unlock_all() { pool.lock.unlock(); }

} // namespace rt::heap

RT_FORK_DATA(50) static constinit bool locked_for_fork = false;

// The child gets a consistent pool. The calling thread's slabs are the child's, too.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_heap(rt::ForkPhase phase) {
  if (phase == rt::ForkPhase::prepare) {
    if (rt::single_threaded()) return;
    rt::heap::lock_all();
    locked_for_fork = true;
  } else if (locked_for_fork) {
    locked_for_fork = false;
    rt::heap::unlock_all();
  }
}
RT_AT_FORK(90, rt_fork_heap);

// A thread's slabs go to the others when it ends, after its thread-local objects have been destroyed.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_release_thread_cache() { rt::heap::release_thread_cache(); }
RT_AT_THREAD_EXIT(80, rt_release_thread_cache);
