#include <rt/sync/deadlock.hpp>

#include <rt/base/panic.hpp>
#include <rt/base/registry.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/thread_report.hpp>

#include <algorithm>

namespace rt {
namespace {

constexpr std::size_t longest = 32;

struct Cycle {
  DeadlockMember members[longest];
  std::size_t size = 0;
  std::uint32_t waits = 0; // of all members, ever: the same tasks may get into the same cycle again

  std::span<const DeadlockMember> view() const { return {members, size}; }
};

constinit Atomic<DeadlockHandler*> handler = nullptr;
constinit Atomic<std::uintptr_t> last_reported = 0;

// What the task with this id waits for. The registry is locked meanwhile: tasks come and go.
const Word* lock_wanted_by(DeadlockMember& member, std::uint32_t& waits) {
  struct Search {
    DeadlockMember& member;
    std::uint32_t& waits;
    const Word* word;
  } search{member, waits, nullptr};
  visit_tasks(
      [](Task& task, void* argument) {
        auto& [wanted, all_waits, word] = *static_cast<Search*>(argument);
        if (task.id != wanted.task) return true;
        wanted.name = task.name;
        word = task.lock.load(std::memory_order_relaxed);
        all_waits += task.lock_waits.load(std::memory_order_relaxed);
        wanted.waits_for = word;
        return false;
      },
      &search);
  return search.word;
}

// The lock's owner, or 0 if nobody waits for it any more. As long as somebody does, the lock exists.
TaskId owner_of(const Word& word) {
  TaskId owner = 0;
  with_waiters_of(
      word,
      [](const Word& at, void* argument) {
        *static_cast<TaskId*>(argument) = Lock::owner_of(at.load(std::memory_order_relaxed));
      },
      &owner);
  return owner;
}

bool find_cycle(Cycle& cycle) {
  const TaskId first = current_task().id;
  for (TaskId next = first; cycle.size < longest;) {
    DeadlockMember& member = cycle.members[cycle.size++];
    member.task = next;
    const Word* word = lock_wanted_by(member, cycle.waits);
    next = word ? owner_of(*word) : 0;
    if (next == 0) return false;
    if (next == first) return true;
  }
  return false; // a cycle that this task only leads to: its members will find it
}

bool same(const Cycle& a, const Cycle& b) {
  return std::ranges::equal(a.view(), b.view(), [](const DeadlockMember& x, const DeadlockMember& y) {
    return x.task == y.task && x.waits_for == y.waits_for;
  });
}

// The same for all members of a cycle, whichever of them it starts with.
std::uintptr_t signature(const Cycle& cycle) {
  std::uintptr_t sum = 1 + cycle.waits;
  for (const auto& member : cycle.view())
    sum += reinterpret_cast<std::uintptr_t>(member.waits_for) * (2 * member.task + 1);
  return sum;
}

[[noreturn]] void abort_with(std::span<const DeadlockMember> cycle) {
  panicking::Report report("deadlock: ");
  if (cycle.size() == 1)
    report.out().put_literal("a task waits for a lock that it holds itself; use an RLock, or do not lock twice");
  else
    format_to(report.out(), "{} tasks wait for each other's locks; take locks in the same order everywhere",
              cycle.size());
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const auto& self = cycle[i];
    const auto& holder = cycle[(i + 1) % cycle.size()];
    const auto& before = cycle[(i + cycle.size() - 1) % cycle.size()];
    format_to(report.out(), "\n  '{}' (id {}) holds lock {} and waits for lock {}, which '{}' (id {}) holds",
              self.name.data(), self.task, before.waits_for, self.waits_for, holder.name.data(), holder.task);
  }
  report.write(__builtin_frame_address(0));
  for (const auto& member : cycle)
    if (member.task != current_task().id) reporting::report_task(member.task);
  abort();
}

void call_handler(const Cycle& cycle) {
  if (last_reported.exchange(signature(cycle), std::memory_order_relaxed) == signature(cycle)) return;
  DeadlockHandler* chosen = handler.load(std::memory_order_acquire);
  chosen ? chosen(cycle.view()) : abort_with(cycle.view());
}

} // namespace

void on_deadlock(DeadlockHandler* chosen) { handler.store(chosen, std::memory_order_release); }

void report_cycle(const Word&) {
  Cycle first, second;
  if (find_cycle(first) && find_cycle(second) && same(first, second)) call_handler(first);
}

void report_relock(const Word& word) {
  Cycle cycle;
  const Task& task = current_task();
  cycle.members[cycle.size++] = {task.id, task.name, &word};
  cycle.waits = task.lock_waits.load(std::memory_order_relaxed);
  call_handler(cycle);
}

} // namespace rt
