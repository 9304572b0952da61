#pragma once
// Threads and slabs: who owns a slab, and how one comes to another owner.
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
//   owned -> full      by the owner, when it finds neither a free nor a pushed block       compare-exchange
//   full -> owned      by the first thread that frees a block of it: now it is the owner   compare-exchange
//   owned -> shelved   by the owner, when it ends or has too many half empty slabs         exchange, under the lock
//   shelved -> owned   by a thread that needs a slab of the class, or frees in this one    store, under the lock
//   full -> shelved    by a thread that frees though it has given up its slabs             compare-exchange, and lock
//   owned -> owned     another thread pushes a block; the owner takes the whole list       compare-exchange; exchange
//
// A slab all of whose blocks are free is given to the pool by whoever finds that: the owner, unless it is the slab that
// it allocates from; or the thread that frees in a shelved slab. Since full slabs have no owner, a thread that only
// frees (a consumer) comes to own what it frees, needs no atomic instruction from the second block of a slab on, and
// memory goes back even if the thread that allocated it never runs again.
//
// Why nothing is lost. A block is pushed only by replacing the very word that was read as owned, so no push falls
// between the owner's last look and its leaving: the owner's compare-exchange fails instead. A thread that frees
// touches the slab only up to its successful exchange: until then its own block is in use and keeps the slab;
// afterwards the slab may be gone. `owner` is a hint for the fast path: only the thread itself writes its number there
// or removes it, so it reads its number exactly if the slab is its own; whatever else it reads, `pushed` decides. A
// list that is only pushed to and taken as a whole has no ABA problem, and the three states mean the same whenever they
// are seen.
//
// Memory orders. Leaving (to full) releases and becoming owner acquires on `pushed`, so the new owner sees the members
// as the old one left them. The blocks are as those left them who freed them: a push releases, the owner's exchange
// acquires, and later pushes, being read-modify-writes, belong to the release sequences of the earlier ones. The
// shelves are under the lock. Reading `owner` needs no order: the value that counts is the reader's own.

#include <rt/memory/slab.hpp>

namespace rt::heap {

/// Of a thread; all zeros in the beginning, and nothing to destroy.
struct ThreadHeap {
  std::uint64_t number;             // 0: it owns no slab yet, or has given them up
  Slab* slabs[class_count];         // rings; blocks come from the first slab, and newcomers go last
  std::uint32_t count[class_count]; // slabs in each ring
  bool released;                    // it has given up its slabs, and is to own none again
};

extern constinit thread_local ThreadHeap this_thread;

/// A block of the class, when the first slab of the ring has none ready; nullptr when there is no more memory.
void* allocate_small(unsigned size_class);

/// Frees a block of a slab that the thread does not own.
void deallocate_foreign(Slab* slab, Block* block);

/// Gives a slab of the thread's that has no block in use to the pool.
void retire(Slab* slab);

/// Gives a slab of the thread's to the pool or to its shelf.
void shelve(Slab* slab);

[[noreturn, gnu::cold]] void panic_on_double_free(const void* block, const Slab* slab);

// For whoever a slab belongs to; inlined even where the rest is compiled for size.

[[gnu::always_inline]] inline bool is_own(const Slab* slab) {
  return slab->owner.load(std::memory_order_relaxed) == owned_by::thread(this_thread.number);
}

[[gnu::always_inline]] inline std::uint32_t used(const Slab* slab) {
  return slab->used.load(std::memory_order_relaxed);
}

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

} // namespace rt::heap
