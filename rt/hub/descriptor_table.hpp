#pragma once
// DescriptorTable: what a hub knows of each descriptor that its flows have waited for.
//
//   directory -> block of 256 entries, by the descriptor's number
//
// An entry stays where it is, and blocks are never freed. Only the hub's thread adds to the table; others may look into
// it, so when the directory has to grow, the one before stays, too: all of them together are twice as large as the last
// one at most.

#include <rt/base/atomic.hpp>
#include <rt/kernel/poll.hpp>
#include <rt/sync/waiter.hpp>

#include <cstddef>
#include <cstdint>

namespace rt::hub {

/// One descriptor of a hub.
struct DescriptorEntry {
  /// In `state`, beside what of Ready the kernel watches for.
  static constexpr std::uint32_t watched = 1 << 16, ///< the kernel knows it
      closed = 1 << 17;                             ///< by another thread: what the kernel knew of it is gone

  WaiterList waiters; ///< of DescriptorWaiter
  Atomic<std::uint32_t> state = 0;
  /// What the kernel has told of though nobody waited for it.
  std::uint32_t unclaimed = 0;
};

class DescriptorTable {
 public:
  constexpr DescriptorTable() = default;
  DescriptorTable(const DescriptorTable&) = delete;

  /// nullptr: nobody has waited for it. By any thread.
  DescriptorEntry* find(int descriptor) {
    const std::size_t block = static_cast<std::size_t>(descriptor) / block_size;
    Directory* const directory = directory_.load(std::memory_order_acquire);
    if (!directory || block >= directory->size) return nullptr;
    Block* const found = directory->blocks[block].load(std::memory_order_acquire);
    return found ? &found->entries[static_cast<std::size_t>(descriptor) % block_size] : nullptr;
  }

  /// nullptr: there is no memory.
  DescriptorEntry* find_or_add(int descriptor) {
    DescriptorEntry* const found = find(descriptor);
    return found ? found : add(descriptor);
  }

  template <class Visit> void visit(Visit visit) {
    Directory* const directory = directory_.load(std::memory_order_acquire);
    for (std::size_t i = 0; directory && i < directory->size; ++i)
      if (Block* const block = directory->blocks[i].load(std::memory_order_acquire))
        for (std::size_t k = 0; k < block_size; ++k) visit(static_cast<int>(i * block_size + k), block->entries[k]);
  }

 private:
  static constexpr std::size_t block_size = 256;

  struct Block {
    DescriptorEntry entries[block_size];
  };
  struct Directory {
    std::size_t size;
    Atomic<Block*>* blocks;
  };

  DescriptorEntry* add(int descriptor);

  Atomic<Directory*> directory_ = nullptr;
};

} // namespace rt::hub
