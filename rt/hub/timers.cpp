#include <rt/hub/timers.hpp>

#include <rt/hub/flow.hpp>
#include <rt/memory/heap.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace rt::hub {

Timers::~Timers() {
  if (entries_) heap::deallocate(entries_);
}

Result<void> Timers::reserve(std::size_t flows) {
  if (flows <= capacity_) return {};
  const std::size_t capacity = std::max({2 * capacity_, flows, std::size_t{64}});
  auto* larger = static_cast<Entry*>(heap::allocate(capacity * sizeof(Entry)));
  if (!larger) return Errc::not_enough_memory;
  std::copy(entries_, entries_ + size_, larger);
  Entry* const smaller = std::exchange(entries_, larger);
  capacity_ = capacity;
  std::atomic_signal_fence(std::memory_order_seq_cst); // a handler may look at deadlines
  if (smaller) heap::deallocate(smaller);
  return {};
}

void Timers::place(std::size_t index, Entry entry) {
  entries_[index] = entry;
  entry.flow->timer = static_cast<std::uint32_t>(index);
}

void Timers::rise(std::size_t index, Entry entry) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / arity;
    if (entries_[parent].deadline <= entry.deadline) break;
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void Timers::sink(std::size_t index, Entry entry) {
  for (;;) {
    const std::size_t first = index * arity + 1;
    if (first >= size_) break;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < std::min(first + arity, size_); ++child)
      if (entries_[child].deadline < entries_[least].deadline) least = child;
    if (entry.deadline <= entries_[least].deadline) break;
    place(index, entries_[least]);
    index = least;
  }
  place(index, entry);
}

void Timers::add(Flow& flow, std::int64_t deadline) { rise(size_++, {deadline, &flow}); }

void Timers::remove(Flow& flow) {
  const std::size_t index = flow.timer;
  flow.timer = Flow::no_timer;
  const Entry last = entries_[--size_];
  if (index == size_) return;
  if (index > 0 && last.deadline < entries_[(index - 1) / arity].deadline)
    rise(index, last);
  else
    sink(index, last);
}

} // namespace rt::hub
