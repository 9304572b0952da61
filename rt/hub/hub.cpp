#include <rt/hub/hub.hpp>

#include <rt/base/futex_lock.hpp>
#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/hub/fiber.hpp>
#include <rt/hub/poller.hpp>
#include <rt/hub/report.hpp>
#include <rt/kernel/futex.hpp>
#include <rt/memory/heap.hpp>
#include <rt/sync/wait.hpp>
#include <rt/thread/block.hpp>

#include <algorithm>
#include <bit>
#include <mutex>
#include <new>
#include <utility>

namespace rt::hub {
namespace {

constexpr std::uintptr_t asleep = 1, in_poller = 2; // marks in the inbox; no flow's address has these bits
constexpr bool is_mark(std::uintptr_t found) { return found & (asleep | in_poller); }

// How long a flow that waits for a lock is left alone: between one and two epochs.
constexpr std::int64_t epoch_nanoseconds = 100'000'000;

// Hubs of threads that have ended. Their memory is never used for anything else, as a flow of another thread may be
// about to wake one of them.
constinit FutexLock unused_lock;
constinit Hub* unused = nullptr;

std::int64_t now() { return Clock::now().time_since_epoch().count(); }

Parked park(Waiter& waiter, Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word) {
  return running_flow->hub->park(waiter, deadline, long_wait, word);
}

bool let_others_run() {
  Hub& hub = *running_flow->hub;
  return hub.others_are_ready() && hub.yield();
}

void unpark(Flow& flow, Waiter& waiter) {
  Hub& hub = *flow.hub;
  Atomic<std::uint32_t>& state = waiter.state();
  if (running_flow && running_flow->hub == &hub) {
    // Nobody else changes the state now: it is this thread's, and unpark is called once.
    const bool suspended = state.load(std::memory_order_relaxed) == Waiter::suspended;
    state.store(Waiter::notified, std::memory_order_relaxed);
    if (suspended) hub.make_ready(flow);
  } else if (state.exchange(Waiter::notified, std::memory_order_acq_rel) == Waiter::suspended) {
    hub.make_ready_from_elsewhere(flow);
  }
}

// The kernel, which clears a thread's word and wakes the threads that wait for that, knows nothing of fibers: they wait
// in the table until the thread has marked the word, which is one of its last acts, and then for the kernel.
constexpr std::uint32_t is_ending = 0x80000000;

Errc wait_for_thread(Word& tid, Deadline deadline) {
  for (std::uint32_t word; (word = tid.load(std::memory_order_acquire)) != 0;) {
    if (deadline == Deadline::at(0)) return Errc::timed_out;
    if ((word & ~is_ending) == this_thread_task.id && deadline.never())
      panic("a thread, or a fiber of it, joins its own thread, and would wait for ever");
    if (word & is_ending) {
      kernel::futex_wait(tid, word, Deadline{}, kernel::Sharing::between_processes);
    } else if (const Waited waited = PrivateScope::wait_on(tid, word, deadline); gave_up(waited)) {
      return error_of(waited);
    }
  }
  return Errc::none;
}

constexpr FlowOperations operations{park, unpark, let_others_run, wait_for_thread, report, thread_of};

} // namespace

Hub& Hub::make() {
  Task& task = current_task();
  Hub* hub;
  {
    const std::lock_guard guard(unused_lock);
    hub = unused;
    if (hub) unused = hub->next_unused_;
  }
  if (!hub) {
    void* const memory = heap::allocate(sizeof(Hub), alignof(Hub));
    if (!memory) panic("out of memory: a thread's hub could not be made");
    hub = ::new (memory) Hub;
    hub->next_ = all.load(std::memory_order_relaxed);
    while (!all.compare_exchange_weak(hub->next_, hub, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  hub->main_.task = &task;
  hub->main_.id = task.id;
  hub->main_.hub = hub;
  hub->time_ = now();
  flow_operations.store(&operations, std::memory_order_relaxed);
  write_current_fiber.store(write_running_fiber, std::memory_order_relaxed);
  running_flow = &hub->main_;
  hub->thread_.store(task.id, std::memory_order_release);
  return *hub;
}

void Hub::forget_all() {
  running_flow = nullptr;
  unused_lock.reset();
  if (unused) unused = nullptr;
  if (all.load(std::memory_order_relaxed)) all.store(nullptr, std::memory_order_relaxed);
}

void Hub::make_ready_from_elsewhere(Flow& flow) {
  std::uintptr_t found = inbox_.load(std::memory_order_relaxed);
  do flow.next = is_mark(found) ? nullptr : reinterpret_cast<Flow*>(found);
  while (!inbox_.compare_exchange_weak(found, reinterpret_cast<std::uintptr_t>(&flow), std::memory_order_acq_rel,
                                       std::memory_order_relaxed));
  if (is_mark(found)) wake_sleeper(found);
}

// `asleep` differs from all else in the lower half, which is first in memory on all CPUs here. A hub that has gone on
// meanwhile, or ended, takes the call for a spurious one: neither it nor its Poller is ever freed.
void Hub::wake_sleeper(std::uintptr_t mark) {
  if (mark & in_poller) return reinterpret_cast<Poller*>(mark & ~in_poller)->wake();
  kernel::futex_wake(inbox_word_, 1, kernel::Sharing::private_to_process);
}
static_assert(std::endian::native == std::endian::little);

void Hub::take_inbox() {
  const std::uintptr_t found = inbox_.exchange(0, std::memory_order_acquire);
  if (is_mark(found)) return;
  Flow* first = nullptr; // the one that was made ready first
  for (Flow *flow = reinterpret_cast<Flow*>(found), *next; flow; flow = next) {
    next = flow->next;
    flow->next = first;
    first = flow;
  }
  for (Flow *flow = first, *next; flow; flow = next) {
    next = flow->next;
    make_ready(*flow);
  }
}

bool Hub::poll_and_yield() {
  poll();
  if (!first_ready_) return false;
  make_ready(*running_flow);
  switch_to_next();
  return true;
}

void Hub::poll() {
  if (poller_ && poller_->due()) poller_->look(Deadline::at(0));
  look();
}

void Hub::look() {
  switches_ += static_cast<std::uint64_t>(turns - turns_left_);
  turns_left_ = turns;
  if (inbox_.load(std::memory_order_relaxed)) take_inbox();
  if (look_for_canceled_.load(std::memory_order_relaxed)) wake_canceled();
  if (flows.too_many_warm()) flows.trim();
  const bool nothing_due = timers.empty() && !first_lock_waiter_;
  if (++polls_ % polls_between_looks != 0 && nothing_due) return;
  const std::int64_t time = time_ = now();
  // Who waits for a descriptor for a limited time gets it if it is ready in the end.
  if (!timers.empty() && timers.first_deadline() <= time && poller_ && poller_->due()) poller_->look(Deadline::at(0));
  while (!timers.empty() && timers.first_deadline() <= time) {
    Flow& flow = timers.first();
    timers.remove(flow);
    interrupt(flow, Parked::timed_out);
  }
  if (first_lock_waiter_ && time >= epoch_ends_) {
    ++epoch_;
    epoch_ends_ = time + epoch_nanoseconds;
    while (first_lock_waiter_ && epoch_ - first_lock_waiter_->epoch >= 2) {
      Flow& flow = *first_lock_waiter_;
      delist_lock_waiter(flow, *flow.waiter);
      interrupt(flow, Parked::unparked); // to look for a dead lock itself
    }
  }
}

// Among a thousand connections the stack of one has been out of all near caches since its last request, and so has the
// translation of its page, which costs more: a prefetch waits for it as a load does. So several flows are fetched
// together, and their pages are looked up side by side. Of a stack's other end it is the task's limit, and what lies
// below the task: the call, with what the function was given, such as its connection.
void Hub::fetch_next() {
  fetched_ = 0;
  for (const Flow* flow = first_ready_; flow && fetched_ < most_fetched; flow = flow->next, ++fetched_) {
    const auto* const frames = static_cast<const char*>(flow->context.registers().stack_pointer);
    for (std::size_t at = 0; at < fetched_of_stack; at += arch::cache_line) __builtin_prefetch(frames + at);
    __builtin_prefetch(&flow->task->limit);
    __builtin_prefetch(reinterpret_cast<const char*>(flow->task) - 1);
  }
}

void Hub::wait_for_ready() {
  for (;;) {
    look();
    if (first_ready_) return;
    sleep();
  }
}

// As spin_while, for descriptors, the inbox and deadlines.
bool Hub::spin_in_poller() {
  const int pauses = spin_credit_.take();
  if (pauses == 0) return false;
  const std::int64_t begin = now(), limit = begin + pauses * std::int64_t{1000} / arch::pauses_per_microsecond;
  for (;;) {
    poller_->look(Deadline::at(0));
    time_ = now();
    if (first_ready_ || inbox_.load(std::memory_order_relaxed) || look_for_canceled_.load(std::memory_order_relaxed) ||
        (!timers.empty() && timers.first_deadline() <= time_)) {
      spin_credit_.succeed();
      return true;
    }
    if (time_ >= limit) break;
  }
  spin_credit_.fail(pauses);
  return false;
}

void Hub::sleep() {
  const bool polls = poller_ && poller_->waited_for();
  const std::uintptr_t mark = polls ? reinterpret_cast<std::uintptr_t>(poller_) | in_poller : asleep;
  if (polls ? spin_in_poller() : spin_while(inbox_word_, 0)) return;
  std::uintptr_t expected = 0;
  if (!inbox_.compare_exchange_strong(expected, mark, std::memory_order_seq_cst)) return;
  if (look_for_canceled_.load(std::memory_order_seq_cst)) return take_inbox();
  Deadline deadline = Deadline::no_matter_what();
  if (!timers.empty()) deadline = Deadline::at(timers.first_deadline());
  if (first_lock_waiter_) deadline = std::min(deadline, Deadline::at(epoch_ends_));
  if (polls) {
    poller_->look(deadline);
    time_ = now();
    return take_inbox();
  }
  // A thread that is gone now may have been there when the mark was left: what it did is in the inbox.
  if (deadline.never() && fibers > 0 && is_only_thread() && inbox_.load(std::memory_order_acquire) == asleep) {
    if (!finishing_) report_stuck(*this);
    return take_inbox();
  }
  while (inbox_.load(std::memory_order_relaxed) == asleep)
    if (kernel::futex_wait(inbox_word_, asleep, deadline, kernel::Sharing::private_to_process) == Errc::timed_out)
      break;
  time_ = now();
  take_inbox();
}

void Hub::switch_away_for_ever() {
  if (!first_ready_) wait_for_ready();
  if (--turns_left_ <= 0) poll();
  Flow& self = *running_flow;
  Flow& next = take_ready();
  run(next);
  self.context.switch_for_ever_to(next.context, nullptr);
}

Parked Hub::park(Waiter& waiter, Deadline deadline, LongWait* long_wait, const Atomic<std::uint32_t>* word) {
  for (;;) {
    // At first, if it did not begin so, and once more after an end of waiting that was none, or whose Waiter had been
    // taken out of its list.
    std::uint32_t running = Waiter::waiting;
    if (!waiter.stops && !waiter.state().compare_exchange_strong(running, Waiter::suspended, std::memory_order_acq_rel))
      return Parked::unparked;
    waiter.stops = false;
    suspend(waiter, deadline, long_wait);
    if (waiter.state().load(std::memory_order_acquire) == Waiter::notified) return Parked::unparked;
    if (waiter.woken_by != Parked::unparked) return waiter.woken_by;
    long_wait(*word);
    long_wait = nullptr;
  }
}

void Hub::interrupt(Flow& flow, Parked reason) {
  if (!flow.waiter || (reason == Parked::canceled && !flow.waiter->interruptible)) return;
  std::uint32_t expected = Waiter::suspended;
  if (!flow.waiter->state().compare_exchange_strong(expected, Waiter::waiting, std::memory_order_acq_rel)) return;
  flow.waiter->woken_by = reason; // the first reason, if there are several until it runs
  make_ready(flow);
}

// Here the flag is raised before the inbox is looked at, in sleep() the mark is left before the flag is looked at, and
// these four have one order on which all agree: either this finds the mark, or the hub finds the flag.
void Hub::look_for_canceled() {
  look_for_canceled_.store(1, std::memory_order_seq_cst);
  std::uintptr_t found = inbox_.load(std::memory_order_seq_cst);
  while (is_mark(found))
    if (inbox_.compare_exchange_weak(found, 0, std::memory_order_seq_cst)) return wake_sleeper(found);
}

void Hub::wake_canceled() {
  look_for_canceled_.exchange(0, std::memory_order_acquire);
  flows.visit([this](Flow& flow) {
    if (flow.live && flow.task->canceled.load(std::memory_order_relaxed)) interrupt(flow, Parked::canceled);
  });
  if (poller_) poller_->look_for_closed();
}

void Hub::enlist_lock_waiter(Flow& flow) {
  flow.waiter->waits_for_lock = true;
  flow.epoch = epoch_;
  flow.earlier = last_lock_waiter_;
  flow.later = nullptr;
  (last_lock_waiter_ ? last_lock_waiter_->later : first_lock_waiter_) = &flow;
  last_lock_waiter_ = &flow;
}

void Hub::delist_lock_waiter(Flow& flow, Waiter& waiter) {
  waiter.waits_for_lock = false;
  (flow.earlier ? flow.earlier->later : first_lock_waiter_) = flow.later;
  (flow.later ? flow.later->earlier : last_lock_waiter_) = flow.earlier;
}

HubInfo Hub::info() const {
  return {poller_ ? poller_->engine() : "futex", fibers, timers.size(),
          switches_ + static_cast<std::uint64_t>(turns - turns_left_)};
}

bool Hub::somebody_wants_lock() {
  bool found = false;
  flows.visit([&](Flow& flow) { found |= flow.live && flow.task->lock.load(std::memory_order_relaxed) != nullptr; });
  return found;
}

// The hub's thread writes its numbers without regard to readers: what is read here may be old, or half new, which looks
// like progress at worst.
#if RT_HOSTED
__attribute__((no_sanitize("thread"))) // spelt so that clang knows it as well
#endif
Hub::Progress
Hub::progress() const {
  const auto switches = *const_cast<const volatile std::uint64_t*>(&switches_);
  const auto turns_left = *const_cast<const volatile int*>(&turns_left_);
  const auto polls = *const_cast<const volatile std::uint32_t*>(&polls_);
  const auto live = *const_cast<const volatile std::size_t*>(&fibers);
  return {live > 0 && !is_mark(inbox_.load(std::memory_order_relaxed)),
          ((switches - static_cast<std::uint64_t>(turns_left)) << 24) + polls};
}

void Hub::finish() {
  finishing_ = true;
  flows.visit([this](Flow& flow) {
    if (!flow.live) return;
    flow.task->canceled.store(true, std::memory_order_relaxed);
    interrupt(flow, Parked::canceled);
  });
  // What can go on does so to its end. Who waits for a lock will get it, as long as there is somebody to give it: a
  // wake-up must not go to one who never goes on, as the lock's next waiter would miss it. The others that cannot be
  // interrupted are left where they stand.
  while (fibers > 0) {
    if (yield()) continue;
    if (!timers.empty() || (poller_ && poller_->ends_waits()) || (somebody_wants_lock() && !is_only_thread()))
      sleep();
    else if (inbox_.load(std::memory_order_acquire) == 0)
      break;
  }
  if (poller_) poller_->end_thread();
  thread_.store(0, std::memory_order_release);
  if (fibers > 0) return; // their Waiters and this hub stay where they are, as somebody may yet wake them
  finishing_ = false;
  running_flow = nullptr;
  const std::lock_guard guard(unused_lock);
  next_unused_ = unused;
  unused = this;
}

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_wake_joining_fibers() {
  threading::ThreadBlock* const block = this_thread_task.block;
  if (!block) return;
  block->tid.fetch_or(is_ending, std::memory_order_acq_rel);
  PrivateScope::wake(block->tid, everybody);
}
RT_AT_THREAD_EXIT(95, rt_wake_joining_fibers);

// The child has no hub until it makes a fiber. Those of the parent stay where they are, suspended for ever.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_hubs() { Hub::forget_all(); }
RT_IN_FORKED(20, rt_fork_hubs);

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_finish_hub() {
  if (running_flow) running_flow->hub->finish();
}
RT_AT_THREAD_EXIT(05, rt_finish_hub);
RT_AT_EXIT(05, rt_finish_hub);

} // namespace rt::hub

namespace rt {

HubInfo hub_info() { return hub::running_flow ? hub::running_flow->hub->info() : HubInfo{"futex", 0, 0, 0}; }

} // namespace rt
