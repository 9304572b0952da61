#pragma once
// FlowPool: the fibers' Flows of one hub, live and free. They belong to the hub for ever, and lie in blocks, each with
// a range of task ids of its own.

#include <rt/base/result.hpp>
#include <rt/hub/flow.hpp>
#include <rt/sync/waiter.hpp>

namespace rt::hub {

class FlowPool {
 public:
  constexpr FlowPool() = default;
  FlowPool(const FlowPool&) = delete;

  /// A flow with a stack of at least that size (0: the default one's) that is ready to begin anew. not_enough_memory,
  /// too_many_mappings.
  Result<Flow*> take(std::size_t stack_size);

  /// Gives a flow back, by its hub's thread. It may be the running one, if that stops for ever before the next take().
  void give(Flow& flow) {
    flow.next = free_;
    free_ = &flow;
    ++free_count_;
  }
  /// The same by another thread.
  void give_from_elsewhere(Flow& flow);

  /// More free flows have a stack than will be needed soon: trim() gives those of the others back.
  bool too_many_warm() const { return free_count_ > most_warm && free_ != running_flow; }
  void trim();

 private:
  static constexpr std::size_t most_warm = 1024;

  // Fills a unit of the heap.
  struct Block {
    static constexpr std::size_t capacity = 64 * 1024 / sizeof(Flow) - 1;
    Block* next;
    std::size_t used;
    TaskId first_id;
    Flow flows[capacity];
  };

 public:
  /// All flows, live ones and others.
  template <class Visit> void visit(Visit visit) {
    for (Block* block = blocks_.load(std::memory_order_relaxed); block; block = block->next)
      for (std::size_t i = 0; i < block->used; ++i) visit(block->flows[i]);
  }

  /// Whether the fiber with this id is or was here. May be called by other threads.
  bool has(TaskId id) const {
    for (const Block* block = blocks_.load(std::memory_order_acquire); block; block = block->next)
      if (id >= block->first_id && id < block->first_id + Block::capacity) return true;
    return false;
  }

 private:
  Flow* take_fresh();

  Flow* free_ = nullptr; // with stacks, the last used first
  std::size_t free_count_ = 0;
  Flow* bare_ = nullptr;             // without
  Atomic<Block*> blocks_ = nullptr;  // the newest first, which is the only one with flows never used
  Atomic<Flow*> returned_ = nullptr; // by other threads
};

} // namespace rt::hub
