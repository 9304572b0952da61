#pragma once
// RobustWord: a word in shared memory that has an owner, and that the kernel marks when the owner dies.
//
//   bits 0-29   the owner's thread id; 0: none
//   bit  30     the last owner died
//   bit  31     somebody may be waiting
//
// The kernel's side is the robust list (linux/futex.h, Documentation/locking/robust-futexes.rst): each thread tells the
// kernel once where the list of the words that it owns begins. When the thread ends, in whatever way, or executes a
// program, the kernel goes through the list. In each word that still has the thread's id it clears that, sets bit 30,
// and wakes a waiter if bit 31 is there. One more word is looked at, the pending one: it is set before a word is taken
// and cleared when the word is in the list, and the same around giving back, so there is no instruction at which a kill
// would be missed:
//
//   take        pending = this;  word: no owner -> id;  into the list;  pending = none
//   give back   pending = this;  out of the list;  word: id -> 0;  wake;  pending = none
//
// The list goes through the words themselves (previous and next are addresses of the owner's process, which nobody else
// reads), in the layout of glibc's robust mutexes: in a hosted program a thread's list is glibc's, which we share.
//
// Who owns. The kernel compares thread ids as the dying thread's own PID namespace has them, and every thread here
// writes its id as it sees it itself, so words may be shared across namespaces. For the rest an id is not enough: in
// another namespace another thread can have the same. So an owner also writes down the identity of its process and its
// task, and who asks whether it owns the word compares all three. Fibers never leave their thread: a fiber's word has
// the thread's id and is in its list, and the task tells the fibers of a thread apart.
//
// What the kernel does not give:
//   - A thread that is killed in the few instructions in which a word is pending, while a thread of another PID namespace
//     that has the same id there takes that very word, has that one marked as dead.
//   - The memory of a word must stay mapped while a thread of the process owns it: the list goes through it.
//   - The kernel looks at 2048 words of a list.
//   - A wake-up that a killed process should have given or passed on is lost: therefore nobody in this folder sleeps for
//     longer than SharedScope::longest_sleep without looking at his word again.

#include <rt/base/task.hpp>
#include <rt/kernel/process_identity.hpp>

#include <cstddef>
#include <cstdint>
#include <rt/base/atomic.hpp>
#include <type_traits>

namespace rt {
namespace robust {

/// The kernel's struct robust_list_head.
struct Head {
  void* first = nullptr;   // the entry's `next`, or the address of this pointer: none
  long offset = 0;         // from an entry to its word
  void* pending = nullptr; // entry
};

/// What the calling thread has told the kernel.
struct Thread {
  std::uint64_t process = 0; ///< that it was told for; another one after a fork
  std::uint32_t id = 0;      ///< gettid(2)
  Head* head = nullptr;
  struct {
    void* previous = nullptr; // as in front of each entry
    Head head;
  } own; // unless the C library has one
};
inline thread_local constinit Thread this_thread;

/// Makes the calling thread, or what it has become in a forked child, known to the kernel.
void enter();

inline Thread& self() {
  if (this_thread.process != kernel::process_identity()) [[unlikely]]
    enter();
  return this_thread;
}

} // namespace robust

class RobustWord {
 public:
  static constexpr std::uint32_t owner_mask = 0x3fffffff, died = 0x40000000, waiters = 0x80000000;
  static std::uint32_t owner_of(std::uint32_t word) { return word & owner_mask; }

  constexpr RobustWord() = default;
  /// A word that the calling thread owns must not stay in its list. (Nor must one of another thread: that is an error
  /// of the program's, as with any lock.)
  constexpr ~RobustWord() {
    if (!std::is_constant_evaluated() && has_owner() && owned_by_this_thread()) give_back();
  }
  RobustWord(const RobustWord&) = delete;
  RobustWord& operator=(const RobustWord&) = delete;

  /// For looking at, and for waiting on.
  const Atomic<std::uint32_t>& word() const { return word_; }
  Atomic<std::uint32_t>& word() { return word_; }
  std::uint32_t load() const { return word_.load(std::memory_order_relaxed); }
  bool has_owner() const { return owner_of(load()) != 0; }
  bool owner_is_dead() const { return (load() & (died | owner_mask)) == died; }

  /// Makes the calling task the owner, if the word is as expected, which must be without an owner. `bits`: waiters or
  /// nothing. False: `expected` is what it is instead. Acquires.
  bool take(std::uint32_t& expected, std::uint32_t bits) {
    robust::Thread& self = robust::self();
    begin(self);
    const bool taken =
        word_.compare_exchange_strong(expected, self.id | bits, std::memory_order_acquire, std::memory_order_relaxed);
    if (taken) {
      enlist(*self.head);
      process_.store(self.process, std::memory_order_relaxed);
      task_.store(current_task().id, std::memory_order_relaxed);
    }
    end(self);
    return taken;
  }

  /// The same for a word that nobody waits on. False: it has an owner.
  bool take() {
    std::uint32_t expected = load();
    while (owner_of(expected) == 0)
      if (take(expected, 0)) return true;
    return false;
  }

  /// Makes the word free; the caller's thread owns it. Calls wake if somebody may be waiting. Releases.
  template <class Wake> void give_back(Wake wake) {
    robust::Thread& self = robust::self();
    begin(self);
    delist();
    task_.store(0, std::memory_order_relaxed);
    if (word_.exchange(0, std::memory_order_release) & waiters) wake(word_);
    end(self);
  }
  void give_back() {
    give_back([](const Atomic<std::uint32_t>&) {});
  }

  /// Makes a word free whose owner died. The caller sees to it that nobody takes it meanwhile.
  void bury() { word_.store(0, std::memory_order_relaxed); }

  /// Whether the calling task owns it.
  bool owned() const { return owned_by_this_thread() && task() == current_task().id; }
  bool owned_by_this_thread() const {
    const robust::Thread& self = robust::self();
    return owner_of(load()) == self.id && process() == self.process;
  }
  /// The last owner's.
  std::uint64_t process() const { return process_.load(std::memory_order_relaxed); }
  TaskId task() const { return task_.load(std::memory_order_relaxed); }

 private:
  // The kernel sees what this thread has done in the order of its instructions: it is enough to keep the compiler from
  // changing that.
  static void in_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

  void begin(robust::Thread& self) {
    self.head->pending = &next_;
    in_order();
  }
  void end(robust::Thread& self) {
    in_order();
    self.head->pending = nullptr;
  }

  // In front of each entry's `next`, and of the head's `first`, lies its `previous`.
  static void*& previous_of(void* entry) { return static_cast<void**>(entry)[-1]; }
  static void*& next_of(void* entry) { return static_cast<void**>(entry)[0]; }
  // glibc marks entries of priority-inheriting mutexes by bit 0.
  static void* unmarked(void* entry) { return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(entry) & ~1ul); }

  void enlist(robust::Head& head) {
    next_ = head.first;
    previous_ = &head.first;
    in_order();
    previous_of(unmarked(head.first)) = &next_;
    head.first = &next_;
  }
  void delist() {
    next_of(unmarked(previous_)) = next_;
    in_order();
    previous_of(unmarked(next_)) = previous_;
  }

  Atomic<std::uint32_t> word_ = 0;
  Atomic<TaskId> task_ = 0;
  Atomic<std::uint64_t> process_ = 0;
  [[maybe_unused]] std::uint64_t unused_ = 0;
  void* previous_ = nullptr;
  void* next_ = nullptr;

 public:
  /// For the list's head: from an entry to its word.
  static constexpr long offset = -32;
};
static_assert(sizeof(RobustWord) == 40, "the entry lies 32 bytes behind the word, as in glibc's mutexes");

} // namespace rt
