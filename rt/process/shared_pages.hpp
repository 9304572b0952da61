#pragma once
// SharedPages: memory for the large messages of a pool, shared by its processes.
//
// Each page has a word that says who owns it:
//
//   word     left by
//   0        free: whoever allocates, to his own number
//   owner    who frees it (anybody who knows that nobody looks at it any more): to 0
//
// Pages are taken one by one, each by a compare-exchange, until there is a row of them that is long enough; what was
// taken in vain is given back. So nobody ever waits for another, and a process may be killed at any instruction: what
// it had taken has its number, by which the others find it (free_all_of).

#include <rt/base/atomic.hpp>

#include <arch/cpu.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace rt::pooling {

class SharedPages {
 public:
  static constexpr std::size_t page = arch::max_page_size;

  /// How many bytes of shared memory, all zero, are needed for so many pages.
  static constexpr std::size_t size_for(std::size_t pages) { return words_size(pages) + pages * page; }

  SharedPages() = default;
  SharedPages(void* memory, std::size_t pages)
      : touched_(static_cast<Atomic<std::uint32_t>*>(memory)), owners_(touched_ + 1), pages_(pages),
        begin_(static_cast<std::byte*>(memory) + words_size(pages)) {}

  /// A row of pages with room for so many bytes: the first one's number. None: there is no such row.
  std::optional<std::uint32_t> allocate(std::size_t size, std::uint32_t owner);

  /// Frees what allocate() returned for this size. Pages far from the beginning go back to the kernel.
  void free(std::uint32_t first, std::size_t size);

  /// Makes another the owner. Nobody else may have them freed meanwhile.
  void give_to(std::uint32_t owner, std::uint32_t first, std::size_t size);

  /// Frees all that a process owned which is no more.
  void free_all_of(std::uint32_t owner);

  std::byte* at(std::uint32_t number) const { return begin_ + number * page; }

  /// Pages that are not free.
  std::size_t in_use() const;

 private:
  /// Pages up to here keep their memory when they are freed.
  static constexpr std::size_t warm = (std::size_t{4} << 20) / page;

  static constexpr std::size_t words_size(std::size_t pages) {
    return ((1 + pages) * sizeof(std::uint32_t) + page - 1) / page * page;
  }
  static constexpr std::size_t count(std::size_t size) { return (size + page - 1) / page; }

  void touch(std::size_t end);

  Atomic<std::uint32_t>* touched_ = nullptr; // so many pages, from the first, may ever have been used
  Atomic<std::uint32_t>* owners_ = nullptr;
  std::size_t pages_ = 0;
  std::byte* begin_ = nullptr;
};

} // namespace rt::pooling
