// Threads and slabs.
//
// A slab is in one of three states. Its members `free`, `used`, `fresh`, `next` and `previous` belong, with no atomic
// access needed, to
//
//   owned     the thread that owns it: one of the ring for its size class in that thread's ThreadHeap
//   full      nobody: all blocks are in use, and the slab is in no list
//   shelved   the holder of pool.lock: on the pool's shelf for its size class
//
// The word `pushed` tells which: `full`, `shelved`, or else owned, with the list of blocks that other threads have
// freed.
//
//   owned -> full      the owner, when it finds neither a free nor a pushed block   compare-exchange owned, full
//   full -> owned      the first thread that frees a block of it becomes its owner   compare-exchange full, owned
//   owned -> shelved   the owner, when it ends or has too many nearly empty slabs    exchange, under the lock
//   shelved -> owned   a thread that needs a slab of the class, or frees in this one  store, under the lock
//   owned -> owned     another thread pushes a block; the owner takes the whole list  compare-exchange; exchange
//
// A slab all of whose blocks are free is given to the pool by whoever finds that: the owner, unless it is the one that
// it allocates from; a thread that frees in a shelved slab. Since full slabs have no owner, a thread that only frees (a
// consumer) comes to own what it frees, needs no atomic instruction from the second block of a slab on, and memory goes
// back even if the thread that allocated it never runs again.
//
// Why nothing is lost. A block is pushed only by replacing the very word that was read as owned, so no push falls
// between the owner's last look and its leaving: that compare-exchange fails instead. A thread that frees touches the
// slab only up to its successful exchange: until then its own block is in use and keeps the slab, afterwards the slab
// may be gone. `owner` is a hint for the fast path: only the thread itself writes its number there or removes it, so it
// reads its number exactly if the slab is its own; whatever else it reads, `pushed` decides.
//
// Memory orders. Leaving (to full) releases and becoming owner acquires on `pushed`, so the new owner sees the members
// as the old one left them, and the contents of the blocks are as their freers left them: a push releases, the owner's
// exchange acquires, and pushes that only pass the list on extend the release sequence. The shelves are under the lock.
// Reading `owner` needs no order: the value that counts is the reader's own.

#include <rt/memory/heap.hpp>

#include <rt/base/panic.hpp>
#include <rt/memory/check.hpp>
#include <rt/memory/pool.hpp>

#include <new>

namespace rt::heap {

namespace {

/// Of a thread; all zeros in the beginning, and nothing to destroy.
struct ThreadHeap {
  std::uint64_t number;             // 0: it owns no slab yet, or has ended
  Slab* slabs[class_count];         // rings; blocks come from the first slab, and newcomers go last
  std::uint32_t count[class_count]; // slabs in each ring
  bool released;
};

constinit thread_local ThreadHeap this_thread = {};
constinit std::atomic<std::uint64_t> threads = 0;

constexpr std::size_t max_size = std::size_t{1} << 47; // more than any process can map; sums with it cannot overflow
constexpr std::size_t fresh_at_once = 4096;            // bytes of never used blocks that are made ready together
constexpr std::uint32_t slabs_kept = 4;                // that a thread may have in a class, no matter how empty

[[noreturn, gnu::cold, gnu::noinline]] void panic_on_double_free(const void* block, const Slab* slab) {
  panic("double free of {} ({} bytes)", block, slab->block_size);
}

[[noreturn, gnu::cold, gnu::noinline]] void panic_on_wild_free(const void* block) {
  panic("free of {}, which the heap did not allocate", block);
}

[[gnu::always_inline]] inline bool is_own(const Slab* slab) {
  return slab->owner.load(std::memory_order_relaxed) == owned_by::thread(this_thread.number);
}
void set_owner(Slab* slab, std::uint64_t owner) { slab->owner.store(owner, std::memory_order_relaxed); }
[[gnu::always_inline]] inline std::uint32_t used(const Slab* slab) {
  return slab->used.load(std::memory_order_relaxed);
}
bool is_nearly_empty(const Slab* slab) { return used(slab) * slab->block_size <= unit_size / 4; }

// For whoever a slab belongs to

[[gnu::always_inline]] inline void* pop(Slab* slab) {
  Block* block = slab->free;
  slab->free = block->next;
  slab->used.store(used(slab) + 1, std::memory_order_relaxed);
  return block;
}

[[gnu::always_inline]] inline void push(Slab* slab, Block* block) {
  if (slab->free == block) [[unlikely]]
    panic_on_double_free(block, slab);
  block->next = slab->free;
  slab->free = block;
  slab->used.store(used(slab) - 1, std::memory_order_relaxed);
}

void push_all(Slab* slab, std::uintptr_t list) {
  while (list) {
    auto* block = reinterpret_cast<Block*>(list);
    list = address_of(block->next);
    push(slab, block);
  }
}

void give_to_pool(Slab* slab) {
  set_owner(slab, owned_by::nobody);
  put_units(slab, 1);
}

// For the owner

void join_ring(Slab* slab) {
  if (this_thread.number == 0)
    this_thread.number = owned_by::first_thread + threads.fetch_add(1, std::memory_order_relaxed);
  set_owner(slab, owned_by::thread(this_thread.number));
  append(this_thread.slabs[slab->size_class], slab);
  ++this_thread.count[slab->size_class];
}

void leave_ring(Slab* slab) {
  remove(this_thread.slabs[slab->size_class], slab);
  --this_thread.count[slab->size_class];
}

void retire(Slab* slab) {
  leave_ring(slab);
  give_to_pool(slab);
}

void collect_pushed(Slab* slab) {
  if (slab->pushed.load(std::memory_order_relaxed) == state::owned) return;
  push_all(slab, slab->pushed.exchange(state::owned, std::memory_order_acquire));
}

void make_fresh_blocks(Slab* slab) {
  std::byte* memory = memory_of(slab);
  const std::uint32_t begin = slab->fresh;
  Block** link = &slab->free;
  while (slab->fresh < slab->fresh_end && slab->fresh - begin < fresh_at_once) {
    auto* block = reinterpret_cast<Block*>(memory + slab->fresh);
    *link = block;
    link = &block->next;
    slab->fresh += slab->block_size;
  }
  *link = nullptr;
}

bool has_free_block(Slab* slab) {
  if (!slab->free) collect_pushed(slab);
  if (!slab->free) make_fresh_blocks(slab);
  return slab->free;
}

void shelve(Slab* slab) {
  leave_ring(slab);
  set_owner(slab, owned_by::all);
  pool.lock.lock();
  push_all(slab, slab->pushed.exchange(state::shelved, std::memory_order_acquire));
  const bool empty = used(slab) == 0;
  if (!empty) append(pool.shelves[slab->size_class], slab);
  pool.lock.unlock();
  if (empty) give_to_pool(slab);
}

/// Each slab that a thread comes to own by freeing makes it look at two that it has owned for long, so that what others
/// could use does not pile up with it.
void shelve_surplus(unsigned size_class) {
  for (int i = 0; i < 2 && this_thread.count[size_class] > slabs_kept; ++i) {
    Slab* slab = this_thread.slabs[size_class]->next;
    collect_pushed(slab);
    if (used(slab) == 0) {
      retire(slab);
    } else if (is_nearly_empty(slab)) {
      shelve(slab);
    } else {
      leave_ring(slab);
      join_ring(slab);
    }
  }
}

// Allocation, when the first slab of the ring has no free block

Slab* unshelve(unsigned size_class) {
  Slab* slab = pool.shelves[size_class];
  if (slab) {
    remove(pool.shelves[size_class], slab);
    slab->pushed.store(state::owned, std::memory_order_relaxed);
  }
  return slab;
}

Slab* make_slab(unsigned size_class) {
  Slab* slab = take_units(1);
  if (slab) {
    ::new (slab) Slab;
    slab->size_class = size_class;
    slab->block_size = size_of_class(size_class);
    slab->fresh_end = unit_size - unit_size % slab->block_size;
    set_owner(slab, owned_by::all);
  }
  return slab;
}

bool add_slab(unsigned size_class) {
  pool.lock.lock();
  Slab* slab = unshelve(size_class);
  if (!slab) slab = make_slab(size_class);
  pool.lock.unlock();
  if (slab) join_ring(slab);
  return slab;
}

void* allocate_small(unsigned size_class) {
  for (;;) {
    Slab* slab = this_thread.slabs[size_class];
    if (!slab) {
      if (!add_slab(size_class)) return nullptr;
      continue;
    }
    if (has_free_block(slab)) return pop(slab);
    leave_ring(slab);
    set_owner(slab, owned_by::all);
    std::uintptr_t expected = state::owned;
    const bool left = slab->pushed.compare_exchange_strong(expected, state::full, std::memory_order_release,
                                                           std::memory_order_relaxed);
    if (!left) join_ring(slab); // a block has been pushed after all
  }
}

[[gnu::noinline]] void* allocate_slowly(std::size_t size, std::size_t alignment) {
  if (size > max_size || alignment > max_size) return nullptr;
  if (size == 0) size = 1;
  // A class that holds multiples of the alignment consists of multiples of it (of its steps, at least), and so do
  // slabs.
  if (alignment > default_alignment) size = (size + alignment - 1) & ~(alignment - 1);
  if (size <= small_limit && !this_thread.released) return allocate_small(class_of(size));
  if (size <= span_limit && alignment <= unit_size) return allocate_span(size);
  return allocate_large(size, alignment);
}

// Freeing, when the slab is another's

/// The slab has no owner, and the calling thread may not become it or can only under the lock. Returns false if that is
/// not so any more.
bool deallocate_on_shelf(Slab* slab, Block* block) {
  pool.lock.lock();
  std::uintptr_t seen = state::full;
  if (this_thread.released && slab->pushed.compare_exchange_strong(seen, state::shelved, std::memory_order_acquire,
                                                                   std::memory_order_relaxed)) {
    append(pool.shelves[slab->size_class], slab);
  } else if (slab->pushed.load(std::memory_order_relaxed) != state::shelved) {
    pool.lock.unlock();
    return false;
  }
  push(slab, block);
  const bool empty = used(slab) == 0;
  const bool wanted = !this_thread.released && !is_nearly_empty(slab);
  if (empty || wanted) remove(pool.shelves[slab->size_class], slab);
  if (wanted) slab->pushed.store(state::owned, std::memory_order_relaxed);
  pool.lock.unlock();
  if (empty) give_to_pool(slab);
  if (wanted) join_ring(slab);
  return true;
}

void deallocate_of_other(Slab* slab, Block* block) {
  std::uintptr_t seen = slab->pushed.load(std::memory_order_relaxed);
  for (;;) {
    if (seen == state::shelved || (seen == state::full && this_thread.released)) {
      if (deallocate_on_shelf(slab, block)) return;
      seen = slab->pushed.load(std::memory_order_relaxed);
    } else if (seen == state::full) {
      if (slab->pushed.compare_exchange_weak(seen, state::owned, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        push(slab, block);
        join_ring(slab);
        return shelve_surplus(slab->size_class);
      }
    } else {
      block->next = reinterpret_cast<Block*>(seen);
      if (slab->pushed.compare_exchange_weak(seen, address_of(block), std::memory_order_release,
                                             std::memory_order_relaxed))
        return;
    }
  }
}

[[gnu::noinline]] void deallocate_slowly(Slab* slab, void* block) {
  const std::uint64_t owner = slab->owner.load(std::memory_order_relaxed);
  if (!owned_by::is_marked(owner)) panic_on_wild_free(block);
  if (owner == owned_by::span) return deallocate_span(slab);
  if (owner == owned_by::large) return deallocate_large(slab);
  deallocate_of_other(slab, static_cast<Block*>(block));
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
