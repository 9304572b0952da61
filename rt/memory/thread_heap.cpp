#include <rt/memory/thread_heap.hpp>

#include <rt/base/panic.hpp>
#include <rt/memory/pool.hpp>

#include <new>

namespace rt::heap {

constinit thread_local ThreadHeap this_thread = {};

namespace {

constinit std::atomic<std::uint64_t> threads = 0;

constexpr std::uint32_t fresh_at_once = 4096; // bytes of never used blocks that are made ready together
constexpr std::uint32_t slabs_kept = 4;       // that a thread may have in a class, no matter how empty

void set_owner(Slab* slab, std::uint64_t owner) { slab->owner.store(owner, std::memory_order_relaxed); }

bool is_half_empty(const Slab* slab) { return used(slab) * slab->block_size <= unit_size / 2; }

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

/// Each slab that a thread comes to own by freeing makes it look at two that it has owned for long, so that what others
/// could use does not pile up with it.
void shelve_surplus(unsigned size_class) {
  for (int i = 0; i < 2 && this_thread.count[size_class] > slabs_kept; ++i) {
    Slab* slab = this_thread.slabs[size_class]->next;
    collect_pushed(slab);
    if (used(slab) == 0) {
      retire(slab);
    } else if (is_half_empty(slab)) {
      shelve(slab);
    } else {
      leave_ring(slab);
      join_ring(slab);
    }
  }
}

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
    slab->fresh_end = static_cast<std::uint32_t>(unit_size - unit_size % slab->block_size);
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
  const bool wanted = !this_thread.released && !is_half_empty(slab);
  if (empty || wanted) remove(pool.shelves[slab->size_class], slab);
  if (wanted) slab->pushed.store(state::owned, std::memory_order_relaxed);
  pool.lock.unlock();
  if (empty) give_to_pool(slab);
  if (wanted) join_ring(slab);
  return true;
}

} // namespace

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

void deallocate_foreign(Slab* slab, Block* block) {
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

void retire(Slab* slab) {
  leave_ring(slab);
  give_to_pool(slab);
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

void panic_on_double_free(const void* block, const Slab* slab) {
  panic("double free of {} ({} bytes)", block, slab->block_size);
}

} // namespace rt::heap
