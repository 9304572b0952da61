#include <rt/thread/block.hpp>

#include <rt/base/futex_lock.hpp>
#include <rt/base/hook.hpp>

#include <algorithm>
#include <mutex>
#include <new>

namespace rt::threading {
namespace {

constexpr std::size_t control_size = 4096; // callable, TLS block and ThreadBlock, in a block that can be cached
constexpr unsigned most_cached = 32;

constinit FutexLock cache_lock;
constinit ThreadBlock* cache = nullptr;
constinit ThreadBlock* detached = nullptr;
constinit unsigned cached = 0;
constinit std::atomic<std::size_t> cached_size = 0; // all blocks in the cache have a mapping of this size

ThreadBlock* place_block(const memory::StackMapping& mapping) {
  const auto end = reinterpret_cast<std::uintptr_t>(mapping.end()) - sizeof(ThreadBlock);
  auto* block = ::new (reinterpret_cast<void*>(end & -std::uintptr_t{64})) ThreadBlock;
  block->mapping = mapping;
  return block;
}

// With the cache locked: puts a block whose thread has ended into the cache, or unmaps it.
void keep_or_unmap(ThreadBlock* block) {
  if (block->mapping.size != cached_size.load(std::memory_order_relaxed) || cached == most_cached)
    return memory::unmap_stack(memory::StackMapping(block->mapping));
  block->next = cache;
  cache = block;
  ++cached;
}

void collect_detached() {
  for (ThreadBlock** link = &detached; *link;) {
    ThreadBlock* block = *link;
    if (block->tid.load(std::memory_order_acquire) != 0) {
      link = &block->next;
    } else {
      *link = block->next;
      native_finish(*block);
      keep_or_unmap(block);
    }
  }
}

ThreadBlock* take_cached() {
  const std::lock_guard guard(cache_lock);
  if (!cache) collect_detached();
  ThreadBlock* block = cache;
  if (block) {
    cache = block->next;
    --cached;
  }
  return block;
}

} // namespace

// The blocks of the parent's threads stay in the child as they are: it uses none of them.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_blocks() {
  cache_lock.reset();
  if (cache) cache = nullptr;
  if (detached) detached = nullptr;
  if (cached) cached = 0;
}
RT_IN_FORKED(20, rt_fork_blocks);

ThreadBlock* make_block(const ThreadOptions& options, const Callable& callable) {
  const std::size_t wanted =
      std::max(options.stack_size ? options.stack_size : memory::default_stack_size, memory::least_stack_size);
  const std::size_t control = sizeof(ThreadBlock) + 64 + native_tls_size() + callable.size + callable.alignment + 16;
  const bool cacheable = wanted == memory::default_stack_size && control <= control_size;
  ThreadBlock* block = cacheable ? take_cached() : nullptr;
  if (!block) {
    const auto mapping = memory::map_stack(wanted, cacheable ? control_size : control);
    if (!mapping.ok()) return nullptr;
    const memory::StackMapping fresh = mapping.value();
    block = place_block(fresh);
    if (cacheable) cached_size.store(fresh.size, std::memory_order_relaxed); // always the same
  }
  block->tls = reinterpret_cast<char*>(block) - native_tls_size();
  const auto below = reinterpret_cast<std::uintptr_t>(block->tls) - callable.size;
  block->callable = reinterpret_cast<void*>(below & -std::uintptr_t{callable.alignment});
  block->stack_top = reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(block->callable) & -std::uintptr_t{16});
  block->run = callable.run;
  block->destroy = callable.destroy;
  block->daemon = options.daemon;
  block->named = !options.name.empty();
  return block;
}

void release_block(ThreadBlock* block) {
  const std::lock_guard guard(cache_lock);
  keep_or_unmap(block);
}

void release_block_later(ThreadBlock* block) {
  const std::lock_guard guard(cache_lock);
  block->next = detached;
  detached = block;
}

} // namespace rt::threading
