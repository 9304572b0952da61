#pragma once
// Where the heap's blocks lie, and how a block's address leads to its description.
//
//   chunk: 4 MiB, aligned to 4 MiB
//   +---------+---------+---------+-- - - --+---------+
//   | unit 0  | unit 1  | unit 2  |         | unit 63 |      each 64 KiB
//   +---------+---------+---------+-- - - --+---------+
//    | slot 0: Chunk (which units are free)
//    | slot 1: Slab that describes unit 1
//    | ...
//    | slot 63
//
// A unit is a slab (blocks of one size class, from its first byte on), part of a span (a run of units that is one
// block, described by its first unit's slot), or free. A large block has a mapping that starts like a chunk, with the
// block at the beginning of some unit but the first. So for every block
//
//   slot = (address rounded down to 4 MiB) + (bits 16 to 21 of the address) * sizeof(Slab)
//
// The slots are together, and not each at the start of its unit, because addresses 64 KiB apart share one set of every
// cache: to visit 40 descriptions in turn took 7.3 ns each that way, and 1.1 ns this way (AMD Zen). It also leaves the
// blocks of a slab as aligned as their size is. A block at a multiple of 4 MiB (aligned so on request) is the exception
// to the rule: its mapping starts 4 MiB before it, and slot 64 describes it. The test for it also finds nullptr.

#include <arch/cpu.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rt::heap {

inline constexpr std::size_t unit_size = std::size_t{64} << 10;
inline constexpr std::size_t units_per_chunk = 64; // the bits of a word
inline constexpr std::size_t chunk_size = unit_size * units_per_chunk;
inline constexpr std::size_t small_limit = unit_size / 2; // the largest block in a slab
inline constexpr std::size_t span_limit = chunk_size / 2; // the largest block in a chunk
static_assert(unit_size % arch::max_page_size == 0, "units are given back to the kernel one by one");

// Size classes: steps of 16 bytes up to 128, then four classes per doubling: at most a fifth of a block is waste.

inline constexpr unsigned class_count = 40;

/// The class for blocks of 1 to small_limit bytes.
[[gnu::always_inline]] constexpr unsigned class_of(std::size_t size) {
  const auto steps = static_cast<std::uint32_t>((size - 1) >> 4);
  const auto shift = static_cast<unsigned>(std::bit_width(steps | 4)) - 3;
  return (steps >> shift) + 4 * shift;
}

constexpr std::uint32_t size_of_class(unsigned size_class) {
  return size_class < 4 ? (size_class + 1) * 16 : (5 + size_class % 4) << (size_class / 4 + 3);
}
static_assert(class_of(128) == 7 && class_of(129) == 8 && size_of_class(8) == 160);
static_assert(class_of(small_limit) == class_count - 1 && size_of_class(class_count - 1) == small_limit);

/// A free block: a member of the list of its slab.
struct Block {
  Block* next;
};

/// Slab::owner: whom the unit belongs to. Those of live units have a mark, which text, zeros and pointers do not have.
namespace owned_by {
inline constexpr std::uint64_t nobody = 0; // free, or inside a span or large block
inline constexpr std::uint64_t mark = std::uint64_t{0xb10c5e} << 40;
inline constexpr std::uint64_t all = mark + 1;   // a slab that no thread owns
inline constexpr std::uint64_t span = mark + 2;  // not a slab but the first unit of a span
inline constexpr std::uint64_t large = mark + 3; // or of a large block
inline constexpr std::uint64_t first_thread = 4; // threads have numbers from here on; none is used twice
constexpr std::uint64_t thread(std::uint64_t number) { return mark + number; }
constexpr bool is_marked(std::uint64_t owner) { return owner >> 40 == mark >> 40; }
} // namespace owned_by

/// Slab::pushed: the list of blocks that other threads have freed, or one of these (no block has such an address).
namespace state {
inline constexpr std::uintptr_t owned = 0;   // a thread owns the slab; the list is empty
inline constexpr std::uintptr_t full = 1;    // no thread owns the slab, and all its blocks are in use
inline constexpr std::uintptr_t shelved = 2; // no thread owns the slab, and it is on the pool's shelf for its class
} // namespace state

/// Describes a unit, or the span or large block that starts with it. heap.cpp says who may touch which member when.
struct Slab {
  // Of a slab, for its owner
  Block* free = nullptr;               // blocks that can be handed out
  std::atomic<std::uint32_t> used = 0; // blocks that are not in `free` and not fresh; atomic for statistics() only
  std::uint32_t fresh = 0;             // offset of the first block that was never handed out
  std::uint32_t fresh_end = 0;
  std::uint32_t block_size = 0; // of a span: the size of all units
  std::uint32_t size_class = 0;
  Slab* next = nullptr; // in a list of the owner's or on a shelf
  Slab* previous = nullptr;

  // What other threads use; in a line of its own so that they leave the owner's alone
  alignas(arch::cache_line) std::atomic<std::uint64_t> owner = owned_by::nobody;
  std::atomic<std::uintptr_t> pushed = state::owned;
};

/// Slot 0 of a chunk or of a large block's mapping.
struct alignas(Slab) Chunk {
  std::uint64_t free; // units that nobody uses
  std::uint64_t warm; // those of them that have memory
  Chunk* next;        // in the pool's list
  Chunk* previous;
  std::size_t length; // of the mapping
};
static_assert(sizeof(Chunk) <= sizeof(Slab) && (units_per_chunk + 1) * sizeof(Slab) <= unit_size);

inline std::uintptr_t address_of(const void* block) { return reinterpret_cast<std::uintptr_t>(block); }

/// Whether the rule above does not hold for the address: nullptr and blocks aligned to chunk_size or more.
inline bool at_chunk_boundary(const void* block) { return address_of(block) % chunk_size == 0; }

inline Chunk* chunk_of(const void* inside) {
  return reinterpret_cast<Chunk*>(address_of(inside) & ~(std::uintptr_t{chunk_size} - 1));
}
inline unsigned unit_of(const void* block) {
  return static_cast<unsigned>(address_of(block) / unit_size % units_per_chunk);
}
inline Slab* slot(Chunk* chunk, unsigned unit) { return reinterpret_cast<Slab*>(chunk) + unit; }
inline Slab* slab_of(const void* block) { return slot(chunk_of(block), unit_of(block)); }
inline Slab* slab_of_block_at_boundary(const void* block) {
  return slot(reinterpret_cast<Chunk*>(address_of(block) - chunk_size), units_per_chunk);
}

/// The number of the unit that a slot describes, and the unit itself.
inline unsigned number_of(const Slab* slab) {
  return static_cast<unsigned>(slab - reinterpret_cast<const Slab*>(chunk_of(slab)));
}
inline std::byte* memory_of(const Slab* slab) {
  return reinterpret_cast<std::byte*>(chunk_of(slab)) + number_of(slab) * unit_size;
}

// Rings: lists whose last member leads to the first.

template <class Node> void append(Node*& first, Node* node) {
  if (!first) first = node->next = node->previous = node;
  node->next = first;
  node->previous = first->previous;
  node->next->previous = node->previous->next = node;
}

template <class Node> void remove(Node*& first, Node* node) {
  node->next->previous = node->previous;
  node->previous->next = node->next;
  if (first == node) first = node->next != node ? node->next : nullptr;
}

} // namespace rt::heap
