#pragma once
// Hub: the scheduler of one thread's flows: its fibers, and the flow that the thread began with.
//
//   ready       a FIFO; whoever stops takes the next one from it and switches to it: there is no scheduler's own flow
//   parked      in a Waiter (rt/sync/waiter.hpp), perhaps with a deadline in the timers
//   inbox       flows that other threads have made ready: a stack that they push to without a lock and the hub takes as
//               a whole. A mark in it says that the hub sleeps and has to be woken: `asleep` that it is in futex(2),
//               `in_poller`, with the Poller's address, that it is in its Poller
//
// A flow that stops while none is ready looks for work on its own stack: in the inbox, among the timers. If there is
// none, it spins for a moment, leaves a mark and sleeps until the next deadline: in the Poller (poller.hpp) if any flow
// waits for a descriptor, else in futex(2). Now and then, every `turns` switches, a running flow looks as well, so that
// one that never blocks but yields does not keep the others from waking.
//
// A hub has no Poller until a flow of it waits for a descriptor, and nothing here refers to one by more than a pointer:
// programs without input and output do without that code.
//
// No wake-up is lost: to push into the inbox and to leave the mark are both compare-exchanges of one word, so either
// the hub finds the flow, or whoever pushes it finds the mark and wakes the hub. The kernel compares the word (its
// lower half) with the mark before it lets the hub sleep. That flows were canceled is told by another word: the
// canceler writes it and then looks for the mark, the hub leaves the mark and then looks at it, all in seq_cst order,
// so one of them sees what the other did.
//
// Fibers never leave their thread, so no two flows of a hub run at the same time, and what belongs to a hub needs no
// lock and no atomic access, except for the inbox. What is waited for may be shared between threads as ever.

#include <rt/hub/flow.hpp>
#include <rt/hub/flow_pool.hpp>
#include <rt/hub/timers.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/sync/spin.hpp>
#include <rt/sync/waiter.hpp>

#include <string_view>

namespace rt {

/// The state of the calling thread's hub.
struct HubInfo {
  std::string_view engine; ///< how it waits: "futex", or "epoll" from when a flow has waited for a descriptor
  std::size_t fibers;      ///< that have not ended
  std::size_t timers;      ///< deadlines that are waited for
  std::uint64_t switches;  ///< from flow to flow, so far
};
HubInfo hub_info();

namespace hub {

class Poller;

class Hub {
 public:
  Hub() : inbox_(0) {}
  Hub(const Hub&) = delete;

  /// The calling thread's; made if there is none. Panics when there is no memory.
  static Hub& of_thread() { return running_flow ? *running_flow->hub : make(); }

  /// Lets the others that are ready go first. True: somebody was.
  [[gnu::always_inline]] bool yield() {
    if (!first_ready_) return poll_and_yield();
    make_ready(*running_flow);
    switch_to_next();
    return true;
  }

  bool others_are_ready() const { return first_ready_ != nullptr; }

  /// Puts a flow of this hub at the end of the ready ones. To be called in the hub's thread.
  void make_ready(Flow& flow) {
    flow.next = nullptr;
    *last_ready_ = &flow;
    last_ready_ = &flow.next;
  }

  /// The same from another thread.
  void make_ready_from_elsewhere(Flow& flow);

  /// The running flow stops, having seen to it that somebody will make it ready, and goes on when that has happened.
  [[gnu::always_inline]] void switch_away() {
    if (!first_ready_) [[unlikely]]
      wait_for_ready();
    switch_to_next();
  }

  /// The same for a flow that has ended: it never goes on.
  [[noreturn]] void switch_away_for_ever();

  Parked park(Waiter& waiter, Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word);

  /// The same for a Waiter that begins as `suspended`, and not for a lock. Inline: of each frame that a flow stops in
  /// there is more to fetch when it goes on.
  [[gnu::always_inline]] Parked park_inline(Waiter& waiter, Deadline deadline) {
    waiter.stops = false;
    suspend(waiter, deadline.limited_to(running_flow->task->limit), nullptr);
    return waiter.state().load(std::memory_order_acquire) == Waiter::notified ? Parked::unparked : waiter.woken_by;
  }

  /// Fetches into the cache what the next ready flows go on with, when those that it was done for have run. To be
  /// called by a flow that is about to park for long.
  void fetch_ahead() {
    if (--fetched_ <= 0) fetch_next();
  }

  /// Ends the wait of a parked flow of this hub, if that is possible. To be called in the hub's thread.
  void interrupt(Flow& flow, Parked reason);

  /// Has canceled flows and closed descriptors looked for, from another thread.
  void look_for_canceled();

  /// In a child process: no hub that was made before is there, the calling thread's neither.
  static void forget_all();

  /// Ends all fibers, as far as they can be: in the end of the thread.
  void finish();

  Timers timers;
  FlowPool flows;
  std::size_t fibers = 0; // that have not ended

  Flow& main_flow() { return main_; }
  Poller* poller() const { return poller_; }
  void set_poller(Poller& poller) { poller_ = &poller; }
  HubInfo info() const;

  // For reports. A hub is never freed, and stays in the list of all.
  static Hub* first() { return all.load(std::memory_order_acquire); }
  Hub* next() const { return next_; }
  /// Its thread; 0: that has ended.
  TaskId thread() const { return thread_.load(std::memory_order_acquire); }

  /// For another thread: whether its fibers have to wait for the running one, and a number that changes when that has
  /// let others run, or has offered to.
  struct Progress {
    bool busy;
    std::uint64_t number;
  };
  Progress progress() const;

  /// The watchdog's own: what it saw last.
  struct Watched {
    std::uint64_t number;
    std::int64_t since;
    bool reported;
  };
  Watched watched = {};

 private:
  static constexpr int turns = 64;
  static constexpr int most_fetched = 16;
  static constexpr std::size_t fetched_of_stack = 448; // bytes: the frames from the switch up to a function that reads
  static constexpr std::uint32_t polls_between_looks = 16; // at the clock

  static inline constinit Atomic<Hub*> all = nullptr;

  static Hub& make();
  bool poll_and_yield();
  void wait_for_ready();
  void fetch_next();
  void poll();
  void look();
  void sleep();
  bool spin_in_poller();
  void take_inbox();
  void wake_sleeper(std::uintptr_t mark);
  void wake_canceled();
  bool somebody_wants_lock();
  void enlist_lock_waiter(Flow& flow);
  void delist_lock_waiter(Flow& flow, Waiter& waiter);

  /// Stops the running flow, whose Waiter is `suspended`: it will be made ready once, by unpark, perhaps it has been
  /// already, or by interrupt().
  [[gnu::always_inline]] void suspend(Waiter& waiter, Deadline deadline, LongWait* long_wait) {
    Flow& self = *running_flow;
    waiter.since = time_;
    waiter.interruptible = deadline.interruptible();
    self.waiter = &waiter;
    if (deadline.interruptible() && self.task->canceled.load(std::memory_order_relaxed)) {
      interrupt(self, Parked::canceled);
    } else {
      if (!deadline.never()) timers.add(self, deadline.nanoseconds());
      if (long_wait) enlist_lock_waiter(self);
    }
    switch_away();
    self.waiter = nullptr;
    if (self.timer != Flow::no_timer) timers.remove(self);
    if (waiter.waits_for_lock) delist_lock_waiter(self, waiter);
  }

  [[gnu::always_inline]] void switch_to_next() {
    if (--turns_left_ <= 0) [[unlikely]]
      poll();
    Flow& self = *running_flow;
    Flow& next = take_ready();
    if (&next == &self) return; // made ready while it looked for work
    run(next);
    self.context.switch_to(next.context, nullptr);
  }

  Flow& take_ready() {
    Flow& next = *first_ready_;
    first_ready_ = next.next;
    if (!first_ready_) last_ready_ = &first_ready_;
    return next;
  }

  static void run(Flow& flow) {
    running_flow = &flow;
    running_task = flow.task;
    current_task_id = flow.id;
  }

  Flow* first_ready_ = nullptr;
  Flow** last_ready_ = &first_ready_;
  int turns_left_ = turns;
  int fetched_ = 0;            // flows that will have run before the next ones are fetched
  std::uint64_t switches_ = 0; // until the last poll
  bool finishing_ = false;
  std::uint32_t polls_ = 0;
  SpinCredit spin_credit_; // for descriptors
  std::int64_t time_ = 0;  // when the hub last looked at the clock

  // Those that wait for a lock and have not been parked for long, longest first.
  Flow* first_lock_waiter_ = nullptr;
  Flow* last_lock_waiter_ = nullptr;
  std::uint32_t epoch_ = 0;
  std::int64_t epoch_ends_ = 0;

  Poller* poller_ = nullptr; // from the first use on

  Flow main_;
  Hub* next_unused_ = nullptr;
  Hub* next_ = nullptr;
  Atomic<TaskId> thread_ = 0;

  union alignas(arch::cache_line) {
    Atomic<std::uintptr_t> inbox_;
    Atomic<std::uint32_t> inbox_word_; // its lower half, for futex(2)
  };
  Atomic<std::uint32_t> look_for_canceled_ = 0; // a word: riscv64 has no atomic instructions for less
};

} // namespace hub

/// Lets others have the CPU: the thread's other fibers if there are any, else other threads (sched_yield(2)).
[[gnu::always_inline]] inline void yield() {
  if (!hub::running_flow || !hub::running_flow->hub->yield()) yield_thread();
}

} // namespace rt
