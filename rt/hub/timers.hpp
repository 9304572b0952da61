#pragma once
// Timers: the deadlines of a hub's flows, soonest first, in a 4-ary heap.
//
// A node's four children lie side by side, in one cache line, and the tree is half as deep as a binary one: to take the
// soonest of a million costs ten steps. Each flow knows its place, so that a wait that ends early takes its deadline
// out without a search.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>

namespace rt::hub {

struct Flow;

class Timers {
 public:
  constexpr Timers() = default;
  ~Timers();
  Timers(const Timers&) = delete;

  /// Makes room for `flows` deadlines, so that add() cannot fail. not_enough_memory.
  Result<void> reserve(std::size_t flows);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// The soonest; there must be one.
  std::int64_t first_deadline() const { return entries_[0].deadline; }
  Flow& first() const { return *entries_[0].flow; }

  /// Of a flow that is in it.
  std::int64_t deadline_at(std::uint32_t place) const { return entries_[place].deadline; }

  /// A flow is in it once at most. Nanoseconds on Clock.
  void add(Flow& flow, std::int64_t deadline);
  void remove(Flow& flow);

 private:
  struct Entry {
    std::int64_t deadline;
    Flow* flow;
  };
  static constexpr std::size_t arity = 4;

  void place(std::size_t index, Entry entry);
  void rise(std::size_t index, Entry entry);
  void sink(std::size_t index, Entry entry);

  Entry* entries_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace rt::hub
