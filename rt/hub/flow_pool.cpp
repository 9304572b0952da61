#include <rt/hub/flow_pool.hpp>

#include <rt/memory/heap.hpp>
#include <rt/sync/waiter.hpp>

#include <new>

namespace rt::hub {
namespace {

// Below the bits that a lock's word has beside its owner.
constexpr TaskId last_fiber_id = (1 << 30) - 1;
constinit Atomic<TaskId> next_id = first_fiber_id;

} // namespace

Flow* FlowPool::take_fresh() {
  Block* block = blocks_.load(std::memory_order_relaxed);
  if (!block || block->used == Block::capacity) {
    TaskId id = next_id.load(std::memory_order_relaxed);
    do
      if (id > last_fiber_id - Block::capacity) return nullptr;
    while (!next_id.compare_exchange_weak(id, id + Block::capacity, std::memory_order_relaxed));
    auto* const fresh = static_cast<Block*>(heap::allocate(sizeof(Block), alignof(Block)));
    if (!fresh) return nullptr;
    fresh->next = block;
    fresh->used = 0;
    fresh->first_id = id;
    blocks_.store(fresh, std::memory_order_release);
    block = fresh;
  }
  Flow* const flow = ::new (&block->flows[block->used]) Flow;
  flow->id = block->first_id + static_cast<TaskId>(block->used);
  std::atomic_signal_fence(std::memory_order_release); // a handler may visit
  ++block->used;
  return flow;
}

Result<Flow*> FlowPool::take(std::size_t stack_size) {
  if (!free_ && returned_.load(std::memory_order_relaxed)) {
    free_ = returned_.exchange(nullptr, std::memory_order_acquire);
    for (Flow* flow = free_; flow; flow = flow->next) ++free_count_;
  }
  Flow* flow = free_;
  if (flow) {
    free_ = flow->next;
    --free_count_;
    flow->context.end();
    if (memory::fits(*flow->stack, stack_size)) [[likely]]
      return flow;
    memory::give_stack(std::exchange(flow->stack, nullptr));
  } else if (bare_) {
    flow = bare_;
    bare_ = flow->next;
  } else {
    flow = take_fresh();
    if (!flow) return Errc::not_enough_memory;
  }
  const Result<memory::Stack*> stack = memory::take_stack(stack_size);
  if (!stack) {
    flow->next = bare_;
    bare_ = flow;
    return stack.error();
  }
  flow->stack = stack.value();
  return flow;
}

void FlowPool::give_from_elsewhere(Flow& flow) {
  Flow* first = returned_.load(std::memory_order_relaxed);
  do flow.next = first;
  while (!returned_.compare_exchange_weak(first, &flow, std::memory_order_release, std::memory_order_relaxed));
}

void FlowPool::trim() {
  while (free_count_ > most_warm) {
    Flow* const flow = free_;
    free_ = flow->next;
    --free_count_;
    flow->context.end();
    memory::give_stack(std::exchange(flow->stack, nullptr));
    flow->next = bare_;
    bare_ = flow;
  }
}

} // namespace rt::hub
