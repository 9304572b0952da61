#include <rt/hub/descriptor_table.hpp>

#include <rt/memory/heap.hpp>

#include <algorithm>
#include <bit>
#include <new>

namespace rt::hub {

DescriptorEntry* DescriptorTable::add(int descriptor) {
  const std::size_t at = static_cast<std::size_t>(descriptor) / block_size;
  Directory* directory = directory_.load(std::memory_order_relaxed);
  if (!directory || at >= directory->size) {
    const std::size_t size = std::max(std::bit_ceil(at + 1), std::size_t{8});
    auto* const memory = static_cast<Directory*>(heap::allocate(sizeof(Directory) + size * sizeof(Atomic<Block*>)));
    if (!memory) return nullptr;
    auto* const larger = ::new (memory) Directory{size, reinterpret_cast<Atomic<Block*>*>(memory + 1)};
    for (std::size_t i = 0; i < size; ++i)
      ::new (&larger->blocks[i]) Atomic<Block*>(
          directory && i < directory->size ? directory->blocks[i].load(std::memory_order_relaxed) : nullptr);
    directory_.store(larger, std::memory_order_release);
    directory = larger;
  }
  void* const memory = heap::allocate(sizeof(Block), alignof(Block));
  if (!memory) return nullptr;
  auto* const block = ::new (memory) Block;
  directory->blocks[at].store(block, std::memory_order_release);
  return &block->entries[static_cast<std::size_t>(descriptor) % block_size];
}

} // namespace rt::hub
