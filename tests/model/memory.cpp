// Atomics: which value a load may return, and what happens before what, as C++20 has it ([intro.races],
// [atomics.order]).
//
// An atomic's history is the sequence of its values; new ones are added at its end, so the modification order is the
// order of execution. A load returns any value of the history that is not hidden from it:
//   - by one that is later in the history and happens before the load;
//   - by what the task, or something that happens before the load, has read already (read-read coherence);
//   - from a seq_cst load, by what earlier seq_cst operations wrote or read there;
//   - after pause(), by what had been replaced before: a loop that waits for a value comes to an end.
// A read-modify-write reads the newest; a compare-exchange that fails is a load.
//
// A release store's value carries the writer's clock, and so do the values that read-modify-writes put after it (the
// release sequence); an acquire load joins it. This is how weakly ordered CPUs go wrong: a load that should acquire
// leaves older values of other variables in sight, and the race detector finds the plain accesses unordered.

#include "memory.hpp"

#include "atomic.hpp"
#include "machine.hpp"
#include "report.hpp"

#include <array>
#include <cstring>
#include <vector>

namespace model {
namespace {

using Order = std::memory_order;

struct Value {
  std::uint64_t bits;
  std::uint64_t change; // its number among all changes
  Clock released;
};

struct Seen {
  Tick tick;
  std::uint32_t index;
};

struct Location {
  std::uintptr_t address;
  std::size_t size;
  bool is_static; // not constructed in this execution
  bool gone;
  unsigned maker;
  Tick made;
  std::uint32_t sequential; // the first value that a seq_cst load may return
  std::vector<Value> values;
  std::array<std::vector<Seen>, most_tasks> seen;
};

// Open addressing; a slot counts if it is of this execution.
constexpr unsigned table_bits = 13;
struct Slot {
  std::uint64_t execution;
  Location* location;
};
std::array<Slot, 1u << table_bits> table;
std::uint64_t execution = 0;

std::vector<Location*> locations; // those in use come first; the others are kept for their memory
std::size_t used = 0;
std::vector<std::vector<Location*>> on_stack; // of each flow, innermost last

Slot& slot_of(std::uintptr_t address) {
  for (std::uint64_t i = (address * 0x9e3779b97f4a7c15u) >> (64 - table_bits);; ++i) {
    Slot& slot = table[i & (table.size() - 1)];
    if (slot.execution != execution || slot.location->address == address) return slot;
  }
}

std::uint64_t read_memory(const void* address, std::size_t size) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, address, size);
  return bits;
}

std::uint64_t cut(std::uint64_t bits, std::size_t size) {
  return size == 8 ? bits : bits & ((std::uint64_t{1} << (8 * size)) - 1);
}

Location& make(Slot& slot, std::uintptr_t address, std::size_t size) {
  if (used == locations.size()) locations.push_back(new Location());
  Location& location = *locations[used++];
  if (used * 2 > table.size()) fail("too many atomics for the simulated memory");
  location.address = address;
  location.size = size;
  location.gone = false;
  location.sequential = 0;
  location.values.clear();
  for (auto& seen : location.seen) seen.clear();
  slot = {execution, &location};
  return location;
}

void end(Location& location) {
  if (location.gone) return;
  const Task& me = self();
  for (unsigned i = 0; i < most_tasks; ++i)
    if (i != me.index && !location.seen[i].empty() && !me.clock.covers(i, location.seen[i].back().tick)) {
      note("ends the life of", me.index, reinterpret_cast<void*>(location.address));
      fail("an atomic's lifetime ends while '" + std::string(task(i).name) +
           "' may still use it: its last access does not happen before");
    }
  location.gone = true;
}

Location& locate(const Access& access) {
  const auto address = reinterpret_cast<std::uintptr_t>(access.address);
  Slot& slot = slot_of(address);
  if (slot.execution != execution) {
    Location& location = make(slot, address, access.size);
    location.is_static = true;
    location.maker = 0;
    location.made = 0;
    location.values.push_back({read_memory(access.address, access.size), 0, {}});
  }
  Location& location = *slot.location;
  if (location.gone) fail("an atomic is used after the end of its lifetime");
  if (access.size > location.size) fail("an atomic is accessed as a larger one than it is");
  if (!self().clock.covers(location.maker, location.made))
    fail("an atomic is used by a task that nothing tells of its construction");
  return location;
}

bool acquires(Order order) {
  return order == Order::acquire || order == Order::acq_rel || order == Order::seq_cst || order == Order::consume;
}
bool releases(Order order) { return order == Order::release || order == Order::acq_rel || order == Order::seq_cst; }

std::uint32_t first_visible(const Location& location, Order order) {
  const Task& me = self();
  std::uint32_t first = order == Order::seq_cst ? location.sequential : 0;
  for (unsigned i = 0; i < most_tasks; ++i)
    for (auto seen = location.seen[i].rbegin(); seen != location.seen[i].rend(); ++seen)
      if (me.clock.covers(i, seen->tick)) {
        first = std::max(first, seen->index);
        break;
      }
  while (first + 1 < location.values.size() && location.values[first + 1].change <= me.up_to_date) ++first;
  return first;
}

// What every access that reads value `index` does.
void see(Location& location, std::uint32_t index, Order order, bool ends_step) {
  Task& me = self();
  location.seen[me.index].push_back({me.clock.ticks[me.index], index});
  if (acquires(order)) me.clock.join(location.values[index].released);
  if (order == Order::seq_cst) location.sequential = std::max(location.sequential, index);
  if (ends_step) ++me.clock.ticks[me.index];
}

// A new value at the end of the history. `continues`: written by a read-modify-write.
void append(Location& location, const Access& access, std::uint64_t bits, bool continues) {
  Task& me = self();
  Value value{cut(bits, access.size), (count_change(), changes()), {}};
  if (releases(access.order)) value.released = me.clock;
  if (continues) value.released.join(location.values.back().released);
  location.values.push_back(value);
  std::memcpy(access.address, &value.bits, access.size);
  see(location, static_cast<std::uint32_t>(location.values.size() - 1),
      access.order == Order::seq_cst ? Order::seq_cst : Order::relaxed, true);
}

std::uint64_t newest(const Location& location) { return location.values.back().bits; }

void note_access(const char* what, const Access& access, std::uint64_t a, std::uint64_t b = 0) {
  note(what, self().index, access.address, a, b, access.order, access.site);
}

} // namespace

void begin_memory() {
  ++execution;
  used = 0;
  for (auto& list : on_stack) list.clear();
  begin_shadow();
}

void end_memory() {
  for (std::size_t i = 0; i < used; ++i) {
    const Location& location = *locations[i];
    if (location.is_static)
      std::memcpy(reinterpret_cast<void*>(location.address), &location.values.front().bits, location.size);
  }
}

void end_atomics(std::uintptr_t begin, std::uintptr_t end_of_range) {
  for (std::size_t i = 0; i < used; ++i)
    if (locations[i]->address >= begin && locations[i]->address < end_of_range) end(*locations[i]);
}

void end_atomics_on_stack(unsigned flow, std::uintptr_t end_of_range) {
  if (flow >= on_stack.size()) return;
  auto& list = on_stack[flow];
  for (; !list.empty() && list.back()->address < end_of_range; list.pop_back()) end(*list.back());
}

bool atomic_is_gone(const void* address) {
  const Slot& slot = slot_of(reinterpret_cast<std::uintptr_t>(address));
  return slot.execution == execution && slot.location->gone;
}

void atomic_construct(void* at, std::size_t size) {
  if (!in_program) return;
  const Inside inside;
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  Task& me = self();
  Slot& slot = slot_of(address);
  const bool again = slot.execution == execution;
  if (again) {
    end(*slot.location);
    for (auto& list : on_stack) std::erase(list, slot.location);
  }
  Location& location = make(slot, address, size);
  location.is_static = false;
  location.maker = me.index;
  location.made = me.clock.ticks[me.index];
  location.values.push_back({read_memory(at, size), 0, {}});
  if (on_own_stack(address)) {
    if (running_flow() >= on_stack.size()) on_stack.resize(running_flow() + 1);
    on_stack[running_flow()].push_back(&location);
  }
  ++me.clock.ticks[me.index];
}

std::uint64_t atomic_load(const Access& access) {
  if (!in_program) return read_memory(access.address, access.size);
  const Inside inside;
  point(true);
  Location& location = locate(access);
  const auto last = static_cast<std::uint32_t>(location.values.size() - 1);
  const std::uint32_t possible = may_read_stale() ? last - first_visible(location, access.order) + 1 : 1;
  const std::uint32_t age = chooser().choose(possible);
  if (age != 0) count_stale_read();
  const std::uint64_t bits = cut(location.values[last - age].bits, access.size);
  note_access(age ? "loads an old" : "loads", access, bits);
  see(location, last - age, access.order, true);
  return bits;
}

void atomic_store(const Access& access, std::uint64_t value) {
  if (!in_program) return static_cast<void>(std::memcpy(access.address, &value, access.size));
  const Inside inside;
  point();
  Location& location = locate(access);
  note_access("stores", access, value);
  append(location, access, value, false);
}

std::uint64_t atomic_change(const Access& access, Change change, std::uint64_t operand) {
  const Inside inside;
  point();
  Location& location = locate(access);
  const std::uint64_t old = newest(location);
  std::uint64_t bits = operand;
  switch (change) {
  case Change::exchange: break;
  case Change::add: bits = old + operand; break;
  case Change::subtract: bits = old - operand; break;
  case Change::bit_and: bits = old & operand; break;
  case Change::bit_or: bits = old | operand; break;
  case Change::bit_xor: bits = old ^ operand; break;
  }
  note_access("changes", access, old, cut(bits, access.size));
  see(location, static_cast<std::uint32_t>(location.values.size() - 1), access.order, false);
  append(location, access, bits, true);
  return old;
}

bool atomic_compare_exchange(const Access& access, Order failure, std::uint64_t& expected, std::uint64_t desired,
                             bool weak) {
  const Inside inside;
  point();
  Location& location = locate(access);
  const auto last = static_cast<std::uint32_t>(location.values.size() - 1);
  const bool equal = newest(location) == expected;
  // The newest value; then a failure without a reason; then older values that differ from the expected one.
  std::array<std::uint32_t, 64> index;
  unsigned n = 0;
  index[n++] = last;
  const bool may_fail = weak && equal && may_surprise();
  if (may_fail) index[n++] = last;
  if (may_read_stale())
    for (std::uint32_t i = last, first = first_visible(location, failure); i-- > first && n < index.size();)
      if (location.values[i].bits != expected) index[n++] = i;
  const unsigned picked = chooser().choose(n);
  if (picked == 0 && equal) {
    note_access("exchanges", access, expected, desired);
    see(location, last, access.order, false);
    append(location, access, desired, true);
    return true;
  }
  const std::uint32_t seen = index[picked];
  if (picked == 1 && may_fail)
    count_surprise();
  else if (seen != last)
    count_stale_read();
  expected = location.values[seen].bits;
  note_access(seen == last ? "fails to exchange" : "fails to exchange an old", access, expected, desired);
  see(location, seen, failure, true);
  return false;
}

} // namespace model
