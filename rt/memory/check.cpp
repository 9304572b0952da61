#include <rt/memory/check.hpp>

#include <rt/base/panic.hpp>
#include <rt/memory/heap.hpp>
#include <rt/memory/pool.hpp>

#include <arch/syscall.hpp>
#include <linux/mman.h>

#include <string.h>

namespace rt::heap::check {

namespace {

using Word = std::atomic<std::uint64_t>;

constexpr unsigned address_bits = 48;
constexpr std::size_t region_count = (std::size_t{1} << address_bits) / chunk_size;
constexpr std::size_t blocks_per_unit = unit_size / 16;
constexpr std::size_t live_bits_offset = 2 * (units_per_chunk + 1) * sizeof(Slab);
static_assert(live_bits_offset + (units_per_chunk + 1) * blocks_per_unit / 8 <= unit_size);

/// A bit for each region that begins with a Chunk, and a bit for each that once did and is in no mapping of the heap
/// now.
constinit std::atomic<Word*> regions = nullptr;

bool set(Word* words, std::size_t bit) {
  return words[bit / 64].fetch_or(std::uint64_t{1} << bit % 64, std::memory_order_relaxed) >> bit % 64 & 1;
}
bool clear(Word* words, std::size_t bit) {
  return words[bit / 64].fetch_and(~(std::uint64_t{1} << bit % 64), std::memory_order_relaxed) >> bit % 64 & 1;
}
bool test(const Word* words, std::size_t bit) {
  return words[bit / 64].load(std::memory_order_relaxed) >> bit % 64 & 1;
}

std::size_t region_of(const void* address) { return address_of(address) / chunk_size; }

bool is_mapped(std::size_t region) {
  const Word* words = regions.load(std::memory_order_acquire);
  return words && region < region_count && test(words, region);
}
bool was_mapped(std::size_t region) {
  const Word* words = regions.load(std::memory_order_acquire);
  return words && region < region_count && test(words, region_count + region);
}

/// The bit that tells whether a block begins at the address.
struct LiveBit {
  Word* words;
  std::size_t bit;
};

LiveBit live_bit(const void* block) {
  const Slab* slab = at_chunk_boundary(block) ? slab_of_block_at_boundary(block) : slab_of(block);
  auto* words = reinterpret_cast<Word*>(reinterpret_cast<std::byte*>(chunk_of(slab)) + live_bits_offset);
  return {words, number_of(slab) * blocks_per_unit + address_of(block) % unit_size / 16};
}

bool is_live(const void* block) {
  const auto [words, bit] = live_bit(block);
  return address_of(block) % 16 == 0 && test(words, bit);
}

void fill(void* block, int byte) {
  const std::size_t size = usable_size(block);
  if (size <= span_limit) memset(block, byte, size);
}

/// The region is mapped, but no live block begins at the address. Says what is there.
[[noreturn]] void explain(const void* address) {
  if (!at_chunk_boundary(address)) {
    unsigned unit = unit_of(address);
    Chunk* chunk = chunk_of(address);
    while (unit > 1 && slot(chunk, unit)->block_size == 0 && slot(chunk, unit)->owner == owned_by::nobody) --unit;
    const Slab* slab = slot(chunk, unit);
    const bool large = slab->owner == owned_by::large;
    const std::size_t size = large ? large_size(slab) : slab->block_size;
    const std::size_t distance = address_of(address) - address_of(memory_of(slab));
    if (unit != 0 && size != 0 && distance < (large || size > small_limit ? size : slab->fresh)) {
      const std::byte* start = memory_of(slab) + distance / size * size;
      if (start == address) panic("double free of {} ({} bytes)", address, size);
      if (is_live(start))
        panic("free of {}, which the heap did not allocate: it is inside the block {} ({} bytes)", address,
              static_cast<const void*>(start), size);
    }
  }
  panic("free of {}, which the heap did not allocate", address);
}

} // namespace

void add_region(const Chunk* chunk, std::size_t length) {
  Word* words = regions.load(std::memory_order_relaxed);
  if (!words) {
    const long map = arch::syscall(__NR_mmap, 0, 2 * region_count / 8, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map < 0) panic("out of memory: {} bytes for the heap's map of regions", 2 * region_count / 8);
    words = reinterpret_cast<Word*>(map);
    regions.store(words, std::memory_order_release);
  }
  const std::size_t first = region_of(chunk);
  set(words, first);
  for (std::size_t region = first; region <= region_of(reinterpret_cast<const std::byte*>(chunk) + length - 1);
       ++region)
    clear(words, region_count + region);
}

void remove_region(const Chunk* chunk) {
  Word* words = regions.load(std::memory_order_acquire);
  clear(words, region_of(chunk));
  set(words, region_count + region_of(chunk));
}

void forget_units_after(Slab* first) {
  const unsigned begin = number_of(first);
  for (unsigned unit = 1; unit < first->block_size / unit_size; ++unit)
    slot(chunk_of(first), begin + unit)->block_size = 0;
}

void allocated(void* block) {
  const auto [words, bit] = live_bit(block);
  if (set(words, bit)) panic("the heap is corrupt: {} is handed out twice", block);
  fill(block, 0xcd);
}

void freed(void* block) {
  if (!block) return;
  const std::size_t region = region_of(at_chunk_boundary(block) ? static_cast<std::byte*>(block) - chunk_size : block);
  if (!is_mapped(region)) {
    if (was_mapped(region))
      panic("free of {}, which the heap did not allocate, or a double free: it has given memory there back", block);
    panic("free of {}, which the heap did not allocate", block);
  }
  const auto [words, bit] = live_bit(block);
  if (address_of(block) % 16 != 0 || !clear(words, bit)) explain(block);
  fill(block, 0xdd);
}

} // namespace rt::heap::check
