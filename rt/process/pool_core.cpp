// A pool's beginning and end, and what its callers do.

#include <rt/process/pool_core.hpp>

#include <rt/kernel/cpus.hpp>
#include <rt/kernel/event_counter.hpp>
#include <rt/kernel/process_identity.hpp>
#include <rt/kernel/shared_memory.hpp>

#include <algorithm>
#include <mutex>

namespace rt::pooling {
namespace {

using kernel::Sharing;

unsigned workers_wanted(unsigned workers) { return std::min(workers ? workers : cpu_count(), most_workers); }

} // namespace

// --- A job's side ---

Errc Job::refusal() const {
  if (owner_ != kernel::process_identity()) return Errc::operation_not_permitted;
  return this_thread_task.id == collector_ ? Errc::deadlock : Errc::none;
}

Result<void> Job::wait(Deadline deadline) {
  return wait_until(deadline, [this] { return ended(); });
}

void Job::cancel() {
  if (!ended() && owner_ == kernel::process_identity()) core_->cancel(*this);
}

// --- Beginning and end ---

Core::Core(const PoolOptions& options)
    : owner_(kernel::process_identity()), max_tasks_(options.max_tasks_per_worker), initializer_(options.initializer),
      collector_({.name = "pool", .daemon = true}, [this] { collect(); }), places_(workers_wanted(options.workers)) {
  refusal_ = map_memory(options.shared_memory);
  if (refusal_ != Errc::none) return;
  // If all went well, the collector reads what is written here.
  if (const Errc code = begin(); code != Errc::none) refusal_ = code;
}

Errc Core::map_memory(std::size_t size) {
  constexpr std::size_t page = SharedPages::page, ring_size = (sizeof(TaskRing) + page - 1) / page * page;
  const std::size_t pages = size / page;
  memory_size_ = ring_size + SharedPages::size_for(pages);
  const auto memory = kernel::map_shared_memory(memory_size_);
  if (!memory) return memory.error().code;
  ring_ = static_cast<TaskRing*>(*memory);
  ring_->begin(workers());
  pages_ = SharedPages(static_cast<std::byte*>(*memory) + ring_size, pages);
  for (std::uint32_t i = 0; i < slot_count; ++i) free_[i] = static_cast<std::uint16_t>(slot_count - 1 - i);
  free_count_ = slot_count;
  return Errc::none;
}

Errc Core::begin() {
  const auto bell = kernel::make_event_counter();
  if (!bell) return bell.error().code;
  bell_ = Fd(*bell);
  // The program's signals are for the program's threads.
  signals_ = kernel::block_signals(kernel::SignalSet::all().without(kernel::fault_signals));
  const Result<void> started = collector_.start();
  kernel::block_signals(signals_);
  if (!started) return started.error().code;
  started_.wait();
  return Errc::none;
}

bool Core::is_inherited() const { return owner_ != kernel::process_identity(); }

Core::~Core() {
  if (bell_.is_open() && !is_inherited()) {
    terminate();
    collector_.join();
  }
  if (ring_) kernel::unmap_memory(ring_, memory_size_);
}

void Core::close() {
  if (is_inherited()) return;
  {
    const std::lock_guard guard(lock_);
    if (refusal_ == Errc::none) refusal_ = Errc::closed;
  }
  request();
}

void Core::terminate() {
  if (is_inherited()) return;
  {
    const std::lock_guard guard(lock_);
    if (refusal_ == Errc::none) refusal_ = Errc::closed;
    stop_wanted_ = Errc::canceled;
  }
  request();
}

Result<void> Core::join(Deadline deadline) {
  if (is_inherited()) return Errc::operation_not_permitted;
  {
    const std::lock_guard guard(lock_);
    if (refusal_ == Errc::none) return Errc::still_open;
  }
  if (!collector_.id()) return {};
  if (is_collector()) return Errc::deadlock;
  return collector_.join_for(deadline.never()
                                 ? std::chrono::nanoseconds(deadline.nanoseconds())
                                 : std::chrono::nanoseconds(deadline.nanoseconds()) - Clock::now().time_since_epoch());
}

void Core::request() {
  if (ring_ && ring_->push_request()) kernel::add_to_event_counter(bell_.number());
}

// --- Jobs, from outside ---

Errc Core::submit(Job& job) {
  if (is_inherited()) return Errc::operation_not_permitted;
  job.core_ = this;
  job.owner_ = owner_;
  job.collector_ = collector_.id();
  {
    const std::lock_guard guard(lock_);
    if (refusal_ != Errc::none) return refusal_;
    job.add_user();
    job.next_ = new_jobs_;
    new_jobs_ = &job;
  }
  request();
  return Errc::none;
}

void Core::cancel(Job& job) {
  job.cancel_wanted_.store(1, std::memory_order_release);
  cancel_wanted_.store(1, std::memory_order_release);
  request();
}

// --- A call by one thread ---

Slot* Core::begin_call(Errc& error) {
  if (is_inherited()) return error = Errc::operation_not_permitted, nullptr;
  if (is_collector()) return error = Errc::deadlock, nullptr;
  const std::lock_guard guard(lock_);
  error = refusal_;
  if (error != Errc::none || free_count_ == 0) return nullptr;
  Slot& slot = ring_->slot(free_[--free_count_]);
  slot.done.store(Slot::pending, std::memory_order_relaxed);
  slot.timed = 0;
  slot.size = 0;
  assignment_of(slot).use = Use::direct;
  assignment_of(slot).message_size = 0;
  return &slot;
}

// The worker overwrites the slot's own note of where the message is.
void Core::keep_message(Slot& slot) {
  Assignment& assignment = assignment_of(slot);
  assignment.message_size = slot.size;
  assignment.message_pages = slot.pages;
}

// False: the time of the caller's Timeout is over, and whatever comes will be collected.
bool Core::wait_for(Slot& slot) {
  Word& done = slot.done;
  if (spin_while(done, Slot::pending)) return true;
  std::uint32_t state = Slot::pending;
  done.compare_exchange_strong(state, Slot::asleep, std::memory_order_acq_rel);
  const Deadline deadline = Deadline().limited_to(current_task().limit);
  while (done.load(std::memory_order_acquire) == Slot::asleep) {
    if (kernel::futex_wait(done, Slot::asleep, deadline, Sharing::between_processes) != Errc::timed_out) continue;
    const std::lock_guard guard(lock_);
    // Before the word says so: from then on it is the collector that looks.
    assignment_of(slot).use = Use::collected;
    state = Slot::asleep;
    if (done.compare_exchange_strong(state, Slot::collected, std::memory_order_acq_rel)) return false;
    assignment_of(slot).use = Use::direct;
    return true;
  }
  return true;
}

Result<Incoming> Core::run(Slot*& slot) {
  keep_message(*slot);
  {
    const std::lock_guard guard(lock_);
    if (gone_ != Errc::none) return slot->size = 0, gone_;
    ring_->publish(*slot);
  }
  ring_->notify();
  if (!wait_for(*slot)) {
    slot = nullptr;
    return Errc::timed_out;
  }
  return answer_in(*slot);
}

Result<Incoming> Core::answer_in(Slot& slot) const {
  if (slot.error != Errc::none) return slot.error;
  const std::byte* const begin = slot.size <= Slot::inline_size ? slot.data : pages_.at(slot.pages);
  return Incoming(begin, slot.size);
}

void Core::end_call(Slot& slot) {
  release(slot);
  bool collector_waits;
  {
    const std::lock_guard guard(lock_);
    collector_waits = refusal_ != Errc::none || starving_;
  }
  if (collector_waits) request();
}

void Core::free_pages(std::uint64_t size, std::uint32_t first) {
  if (size > Slot::inline_size) pages_.free(first, size);
}

void Core::release(Slot& slot) {
  Assignment& assignment = assignment_of(slot);
  const std::lock_guard guard(lock_);
  free_pages(assignment.message_size, assignment.message_pages);
  free_pages(slot.size, slot.pages);
  assignment.use = Use::none;
  slot.state.store(SlotState(Status::free, 0, slot.look().generation()).bits, std::memory_order_relaxed);
  free_[free_count_++] = static_cast<std::uint16_t>(ring_->number_of(slot));
}

} // namespace rt::pooling
