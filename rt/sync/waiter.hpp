#pragma once
// Waiter: the one place where a task stops and is made to go on. It lies on the stack of the task that waits.
//
//   state       a thread                                        left by
//   waiting     parked, or about to be; spins                   unpark: to notified;  the owner, when it goes to sleep:
//                                                               to sleeping
//   sleeping    in futex(2)                                     unpark: to notified, and wakes it
//   notified    unpark was called                               final
//
//   state       a fiber, or a thread that has fibers            left by
//   suspended   parked, or about to be                          unpark: to notified, and makes it ready;  its hub, when
//                                                               the time is over or it is canceled: to waiting, and
//                                                               makes it ready
//   waiting     running                                         unpark: to notified;  the owner, when it is parked, or
//                                                               has to be once more: to suspended
//   notified    unpark was called                               final
//
// No wake-up is lost. A thread sleeps only while the word is `sleeping` (the kernel compares), and only unpark changes
// that. A fiber is made ready exactly once for each time that it is suspended, by whoever takes the word out of
// `suspended`; that this may happen before it has left its stack does no harm, as only its own thread lets it go on.
// It stops exactly once for each time, too: whether the next park is to stop for a `suspended` that lies behind it is
// the owner's own knowledge (`stops`), since `notified` alone does not tell whether the flow was made ready for it.
// unpark's exchange releases and park's reads acquire, so what was done before unpark is seen after park.
//
// A flow has room in one list of ready ones, so no two Waiters of one flow may be `suspended` at a time. Therefore a
// Waiter begins so, which spares park an exchange, only if its owner neither blocks nor yields before it parks. Where
// code of the user runs in between (a Condition's lock is freed), it begins as `waiting`.
//
// Whoever calls unpark must have taken the Waiter out of the list where it found it, so that it is called once. It
// touches nothing of the Waiter after the exchange but its address, which futex(2) uses as a key: the owner may have
// gone on and left the stack frame. A stray futex wake-up at that address is a spurious one to whoever sleeps there,
// and everybody who sleeps looks at his word again. (A fiber cannot have gone on: it waits to be made ready.)

#include <rt/base/atomic.hpp>
#include <rt/base/error.hpp>
#include <rt/base/task.hpp>
#include <rt/kernel/clock.hpp>

#include <cstdint>

namespace rt {

class Waiter;

/// Why a wait has ended.
enum class Parked : std::uint8_t { unparked, timed_out, canceled };

constexpr Errc error_of(Parked parked) { return parked == Parked::canceled ? Errc::canceled : Errc::timed_out; }

/// What to do when a task has been parked for some time, once: the dead-lock detector's moment.
using LongWait = void(const Atomic<std::uint32_t>& word);

namespace hub {

struct Flow;

/// What the calling thread's hub runs at the moment; nullptr: the thread has no hub.
inline thread_local constinit Flow* running_flow = nullptr;

/// What the hub does for those above it. A program without fibers has none, and pays for a test.
struct FlowOperations {
  Parked (*park)(Waiter& waiter, Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word);
  void (*unpark)(Flow& flow, Waiter& waiter);
  /// Lets the thread's other flows that are ready go first. False: there are none.
  bool (*let_others_run)();
  /// Suspends the calling fiber until the kernel clears this word, at a thread's end. timed_out, canceled.
  Errc (*wait_for_thread)(Atomic<std::uint32_t>& tid, Deadline deadline);
  /// Writes what the calling thread's flows wait for and where they stand; rt/sync/thread_report.hpp.
  void (*report)(std::uint32_t which, const void* frames, std::uintptr_t stack_pointer);
  /// The thread whose hub has the fiber; 0: none.
  TaskId (*thread_of)(TaskId fiber);
};
inline constinit Atomic<const FlowOperations*> flow_operations = nullptr; // set before the first Flow runs

/// What spinning is to a thread: whom a flow waits for may well be one of its own hub's, which goes on only when this
/// one does not. Lets those that are ready run. False: there are none, or the thread has no hub.
inline bool let_others_run() {
  return running_flow && flow_operations.load(std::memory_order_relaxed)->let_others_run();
}

} // namespace hub

class Waiter {
 public:
  /// For a task that neither blocks nor yields before it parks.
  Waiter() : stops(hub::running_flow != nullptr), flow_(hub::running_flow), state_(flow_ ? suspended : waiting) {}
  /// For one that may.
  struct Running {};
  explicit Waiter(Running) : flow_(hub::running_flow), state_(waiting) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Blocks the calling task until unpark, the deadline or, if that is interruptible, its Timeout or a cancel. After
  /// another end than `unparked` the caller takes the Waiter out of its list; if somebody else has done so already,
  /// unpark is on its way, and it must call await_unpark().
  /// word: what the caller has watched for a while before (see spin.hpp), and has long_wait told of.
  Parked park(Deadline deadline, LongWait* long_wait = nullptr, const Atomic<std::uint32_t>* word = nullptr);
  void await_unpark() { park(Deadline::no_matter_what()); }

  void unpark();

  // The list that the waiter is in, and what it waits for: for whoever keeps the list.
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  const Atomic<std::uint32_t>* key = nullptr;
  bool listed = false;

  // For the hub.
  static constexpr std::uint32_t waiting = 0, sleeping = 1, suspended = 2, notified = 3;
  Parked woken_by = Parked::unparked; // by its hub, why
  bool stops = false;                 // it was `suspended`, and park has not stopped for that yet
  bool waits_for_lock = false;        // it is among those that its hub lets look for a dead lock
  bool interruptible = false;         // by a cancel
  std::int64_t since = 0;             // for reports: when it was parked, on Clock; coarse in a hub
  Atomic<std::uint32_t>& state() { return state_; }

 private:
  Parked park_thread(Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word);

  hub::Flow* const flow_;
  Atomic<std::uint32_t> state_;
};

/// For reports: what the calling thread is parked in, if it has no hub.
/// (Only its own signal handlers read it meanwhile.)
inline thread_local constinit const Waiter* volatile parked_thread = nullptr;

/// A FIFO of Waiters on their owners' stacks. Its user locks it.
class WaiterList {
 public:
  constexpr WaiterList() = default;

  bool empty() const { return head_ == nullptr; }
  Waiter* front() const { return head_; }
  void push_back(Waiter& waiter) {
    waiter.next = nullptr;
    waiter.previous = tail_;
    (tail_ ? tail_->next : head_) = &waiter;
    tail_ = &waiter;
    waiter.listed = true;
  }
  void remove(Waiter& waiter) {
    (waiter.previous ? waiter.previous->next : head_) = waiter.next;
    (waiter.next ? waiter.next->previous : tail_) = waiter.previous;
    waiter.listed = false;
  }

 private:
  Waiter* head_ = nullptr;
  Waiter* tail_ = nullptr;
};

} // namespace rt
