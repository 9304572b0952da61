#include <rt/process/task_ring.hpp>

#include <rt/sync/spin.hpp>

namespace rt::pooling {
namespace {

using kernel::Sharing;

constexpr std::uint64_t bit_of(WorkerNumber worker) { return std::uint64_t{1} << worker % 64; }

} // namespace

void TaskRing::publish(Slot& slot) {
  const std::uint32_t generation = (slot.look().generation() + 1) & 0xffff;
  slot.state.store(SlotState(Status::queued, 0, generation).bits, std::memory_order_release);
  const std::uint64_t position = tail_.load(std::memory_order_relaxed);
  ring_[position % slot_count].store(number_of(slot) | generation << 16, std::memory_order_release);
  tail_.store(position + 1, std::memory_order_seq_cst);
}

Slot* TaskRing::take(WorkerNumber worker) {
  for (;;) {
    std::uint64_t position = head_.load(std::memory_order_acquire);
    if (position == tail_.load(std::memory_order_seq_cst)) return nullptr;
    const std::uint32_t place = ring_[position % slot_count].load(std::memory_order_acquire);
    Slot& found = slots_[place & 0xffff];
    const std::optional<Status> taken = take(found, worker, place >> 16);
    std::uint64_t head = position;
    head_.compare_exchange_strong(head, position + 1, std::memory_order_acq_rel, std::memory_order_relaxed);
    if (!taken) continue;
    if (*taken == Status::canceled) found.run = nullptr;
    if (spinner_.load(std::memory_order_relaxed) == worker + 1) spinner_.store(0, std::memory_order_seq_cst);
    if (tail_.load(std::memory_order_seq_cst) > position + 1) notify();
    return &found;
  }
}

// What the slot was until then, if it was still to be had.
std::optional<Status> TaskRing::take(Slot& slot, WorkerNumber worker, std::uint32_t generation) {
  for (SlotState state = slot.look(); state.generation() == generation; state = slot.look()) {
    if (state.status() != Status::queued && state.status() != Status::canceled) return {};
    if (slot.change(state, SlotState(Status::running, worker, generation))) return state.status();
  }
  return {};
}

bool TaskRing::become_spinner(WorkerNumber worker) {
  std::uint32_t spinner = spinner_.load(std::memory_order_relaxed);
  return spinner == worker + 1 ||
         (spinner == 0 && spinner_.compare_exchange_strong(spinner, worker + 1, std::memory_order_seq_cst));
}

void TaskRing::wait_for_task(WorkerNumber worker) {
  const std::uint64_t seen = head_.load(std::memory_order_acquire);
  if (become_spinner(worker)) {
    const bool found = spin_while(tail_word_, static_cast<std::uint32_t>(seen));
    spinner_.store(0, std::memory_order_seq_cst);
    if (found) return;
  }
  Word& bell = workers_[worker].bell;
  bell.store(Worker::asleep, std::memory_order_seq_cst);
  sleepers_[worker / 64].fetch_or(bit_of(worker), std::memory_order_seq_cst);
  if (tail_.load(std::memory_order_seq_cst) == seen && !closed())
    while (bell.load(std::memory_order_acquire) == Worker::asleep)
      kernel::futex_wait(bell, Worker::asleep, Deadline{}, Sharing::between_processes);
  sleepers_[worker / 64].fetch_and(~bit_of(worker), std::memory_order_seq_cst);
}

void TaskRing::ring_bell(WorkerNumber worker) {
  Word& bell = workers_[worker].bell;
  bell.store(Worker::awake, std::memory_order_release);
  kernel::futex_wake(bell, 1, Sharing::between_processes);
}

void TaskRing::wake_one() {
  for (std::uint32_t i = 0; i < words; ++i)
    for (std::uint64_t asleep; (asleep = sleepers_[i].load(std::memory_order_seq_cst)) != 0;) {
      const WorkerNumber worker = 64 * i + static_cast<WorkerNumber>(std::countr_zero(asleep));
      if (sleepers_[i].fetch_and(~bit_of(worker), std::memory_order_seq_cst) & bit_of(worker)) return ring_bell(worker);
    }
}

void TaskRing::close() {
  closed_.store(1, std::memory_order_seq_cst);
  for (WorkerNumber worker = 0; worker < worker_count_; ++worker)
    if (workers_[worker].bell.load(std::memory_order_seq_cst) == Worker::asleep) ring_bell(worker);
}

void TaskRing::forget_worker(WorkerNumber dead) {
  std::uint32_t spinning = dead + 1;
  spinner_.compare_exchange_strong(spinning, 0, std::memory_order_seq_cst);
  sleepers_[dead / 64].fetch_and(~bit_of(dead), std::memory_order_seq_cst);
  workers_[dead].bell.store(Worker::awake, std::memory_order_relaxed);
  // It may have been about to wake another, or been woken for a task.
  for (WorkerNumber worker = 0; worker < worker_count_; ++worker)
    if (workers_[worker].bell.load(std::memory_order_seq_cst) == Worker::asleep) ring_bell(worker);
}

bool TaskRing::finish(WorkerNumber worker, Slot& slot, bool& wake_collector) {
  const SlotState state = slot.look();
  if (state.status() != Status::running || !slot.change(state, state.with(Status::finished))) return false;
  if (head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_relaxed)) become_spinner(worker);
  switch (slot.done.exchange(Slot::over, std::memory_order_acq_rel)) {
  case Slot::asleep: kernel::futex_wake(slot.done, 1, Sharing::between_processes); break;
  case Slot::collected: wake_collector = push_completed(number_of(slot) + 1, slot.next); break;
  default: break;
  }
  return true;
}

bool TaskRing::push_completed(std::uint32_t number, std::uint32_t& next) {
  std::uint32_t found = completed_.load(std::memory_order_relaxed);
  do next = found == collector_asleep ? 0 : found;
  while (!completed_.compare_exchange_weak(found, number, std::memory_order_seq_cst, std::memory_order_relaxed));
  return found == collector_asleep;
}

bool TaskRing::push_request() {
  if (requested_.exchange(1, std::memory_order_seq_cst) != 0) return false;
  return push_completed(request, request_next_);
}

std::uint32_t TaskRing::take_completed() {
  if (completed_.load(std::memory_order_relaxed) == 0) return 0;
  std::uint32_t found = completed_.exchange(0, std::memory_order_acq_rel), first = 0;
  if (found == collector_asleep) return 0;
  while (found != 0) {
    std::uint32_t& next = found == request ? request_next_ : slots_[found - 1].next;
    const std::uint32_t earlier = next;
    next = first;
    first = found;
    found = earlier;
  }
  return first;
}

bool TaskRing::begin_sleep() {
  std::uint32_t nothing = 0;
  return completed_.compare_exchange_strong(nothing, collector_asleep, std::memory_order_seq_cst);
}

void TaskRing::end_sleep() {
  std::uint32_t mark = collector_asleep;
  completed_.compare_exchange_strong(mark, 0, std::memory_order_seq_cst);
}

} // namespace rt::pooling
