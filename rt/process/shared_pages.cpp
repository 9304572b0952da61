#include <rt/process/shared_pages.hpp>

#include <rt/kernel/shared_memory.hpp>

#include <algorithm>

namespace rt::pooling {

std::optional<std::uint32_t> SharedPages::allocate(std::size_t size, std::uint32_t owner) {
  const std::size_t wanted = count(size);
  if (wanted > pages_) return {};
  std::size_t taken = 0;
  for (std::size_t i = 0; i < pages_; ++i) {
    if (i >= touched_->load(std::memory_order_relaxed)) touch(std::min(i + wanted - taken, pages_));
    std::uint32_t free = 0;
    if (owners_[i].load(std::memory_order_relaxed) == 0 &&
        owners_[i].compare_exchange_strong(free, owner, std::memory_order_acquire)) {
      if (++taken == wanted) return static_cast<std::uint32_t>(i + 1 - wanted);
      continue;
    }
    for (; taken > 0; --taken) owners_[i - taken].store(0, std::memory_order_release);
    if (pages_ - i <= wanted) return {};
  }
  return {};
}

// Before they are taken, so that no page which is taken is overlooked.
void SharedPages::touch(std::size_t end) {
  const auto wanted = static_cast<std::uint32_t>(end);
  std::uint32_t touched = touched_->load(std::memory_order_relaxed);
  while (touched < wanted && !touched_->compare_exchange_weak(touched, wanted, std::memory_order_relaxed)) {
  }
}

void SharedPages::free(std::uint32_t first, std::size_t size) {
  const std::size_t end = first + count(size), cold = std::max<std::size_t>(first, warm);
  if (cold < end) kernel::discard_shared_memory(at(static_cast<std::uint32_t>(cold)), (end - cold) * page);
  for (std::size_t i = first; i < end; ++i) owners_[i].store(0, std::memory_order_release);
}

void SharedPages::give_to(std::uint32_t owner, std::uint32_t first, std::size_t size) {
  for (std::size_t i = first; i < first + count(size); ++i) owners_[i].store(owner, std::memory_order_relaxed);
}

void SharedPages::free_all_of(std::uint32_t owner) {
  const std::size_t end = touched_->load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < end; ++i)
    if (owners_[i].load(std::memory_order_relaxed) == owner) free(static_cast<std::uint32_t>(i), page);
}

std::size_t SharedPages::in_use() const {
  return static_cast<std::size_t>(
      std::count_if(owners_, owners_ + touched_->load(std::memory_order_relaxed),
                    [](const auto& word) { return word.load(std::memory_order_relaxed) != 0; }));
}

} // namespace rt::pooling
