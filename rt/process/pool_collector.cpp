// What a pool's collector does.

#include <rt/process/pool_core.hpp>

#include <rt/kernel/event_counter.hpp>

#include <algorithm>
#include <mutex>

namespace rt::pooling {
namespace {

using kernel::Sharing;

constexpr std::uint32_t kept_for_calls = 32;     // slots that jobs do not use
constexpr unsigned rounds_between_looks = 64;    // at the workers, while there is much to collect
constexpr std::uint32_t most_failed_starts = 20; // before the pool gives up
constexpr auto pause_after_failure = std::chrono::milliseconds(50);

std::int64_t now() { return Clock::now().time_since_epoch().count(); }

} // namespace

void Core::collect() {
  polled_.resize(places_.size() + 1);
  start_workers();
  started_.set();
  for (;;) {
    const bool found = handle_completed();
    hand_out();
    if (timed_ > 0) end_late();
    if (can_close()) ring_->close();
    if (!has_workers() && (stopped_ != Errc::none || ring_->closed())) return end_everything();
    if (!found)
      sleep();
    else if (++rounds_ % rounds_between_looks == 0)
      look_at_workers(Deadline::at(0));
  }
}

bool Core::handle_completed() {
  std::uint32_t taken = ring_->take_completed();
  if (taken == 0) return false;
  bool requested = false;
  for (std::uint32_t next; taken != 0; taken = next) {
    next = ring_->after(taken);
    if (taken == TaskRing::request)
      requested = true;
    else
      end_slot(ring_->slot(taken - 1));
  }
  if (requested) handle_request();
  return true;
}

void Core::handle_request() {
  ring_->accept_request();
  Job* jobs;
  Errc stop_wanted;
  {
    const std::lock_guard guard(lock_);
    jobs = std::exchange(new_jobs_, nullptr);
    stop_wanted = stop_wanted_;
  }
  Job* first = nullptr; // that came first
  while (jobs) {
    Job* const next = jobs->next_;
    jobs->next_ = first;
    first = jobs;
    jobs = next;
  }
  for (Job* next; first; first = next) {
    next = std::exchange(first->next_, nullptr);
    ++jobs_under_way_;
    if (first->tasks_ == 0) {
      end_task(*first);
      continue;
    }
    *last_job_ = first;
    last_job_ = &first->next_;
  }
  if (cancel_wanted_.exchange(0, std::memory_order_acquire)) end_canceled();
  if (stop_wanted != Errc::none) stop(stop_wanted);
}

// One that has ended in whatever way.
void Core::end_slot(Slot& slot) {
  // What a caller that gave up has written comes before the word, which a worker has seen; here it is seen, too.
  (void)slot.done.load(std::memory_order_acquire);
  Assignment& assignment = assignment_of(slot);
  timed_ -= slot.timed;
  assignment.doom = Errc::none;
  if (Job* const job = std::exchange(assignment.job, nullptr)) {
    job->complete(assignment.task, answer_in(slot));
    end_task(*job);
  }
  release(slot);
}

void Core::end_task(Job& job) {
  if (job.tasks_ != 0 && ++job.completed_ < job.tasks_) return;
  job.finish();
  job.ended_.store(1, std::memory_order_seq_cst);
  job.changed_.notify_all();
  --jobs_under_way_;
  job.drop();
}

unsigned Core::take_slots(Batch& slots) {
  const std::lock_guard guard(lock_);
  unsigned taken = 0;
  for (; taken < slots.size() && free_count_ > kept_for_calls; ++taken)
    slots[taken] = &ring_->slot(free_[--free_count_]);
  return taken;
}

// With the next task. not_enough_memory: there is none for its message.
Errc Core::fill_slot(Slot& slot) {
  Job& job = *jobs_;
  slot.size = 0;
  Outgoing out(slot, pages_, parent);
  if (const Errc error = job.prepare(job.given_, slot, out); error != Errc::none) return error;
  slot.timed = job.timeout_.count() != 0;
  slot.began.store(0, std::memory_order_relaxed);
  slot.done.store(Slot::collected, std::memory_order_relaxed);
  timed_ += slot.timed;
  assignment_of(slot) = {.use = Use::collected, .task = job.given_, .job = &job};
  keep_message(slot);
  return Errc::none;
}

void Core::hand_out() {
  for (bool more = true; more && jobs_ && stopped_ == Errc::none;) {
    Batch slots;
    const unsigned taken = take_slots(slots);
    unsigned filled = 0;
    Errc error = Errc::none;
    while (filled < taken && jobs_ && error == Errc::none) {
      error = fill_slot(*slots[filled]);
      if (error != Errc::none) break;
      ++filled;
      if (++jobs_->given_ == jobs_->tasks_) remove_first_job();
    }
    bool nothing_under_way;
    {
      const std::lock_guard guard(lock_);
      for (unsigned i = 0; i < filled; ++i) ring_->publish(*slots[i]);
      for (unsigned i = taken; i-- > filled;)
        free_[free_count_++] = static_cast<std::uint16_t>(ring_->number_of(*slots[i]));
      nothing_under_way = free_count_ == slot_count;
      starving_ = jobs_ != nullptr;
    }
    if (filled > 0) ring_->notify();
    more = filled == slots.size();
    // What is under way will make room for the message.
    if (error == Errc::none || (error == Errc::not_enough_memory && !nothing_under_way)) continue;
    Job& job = *jobs_;
    const std::uint32_t task = job.given_++;
    if (job.given_ == job.tasks_) remove_first_job();
    job.complete(task, error);
    end_task(job);
    more = true;
  }
}

void Core::remove_first_job() {
  jobs_ = jobs_->next_;
  if (!jobs_) last_job_ = &jobs_;
}

// --- What ends before its time ---

// Tasks that have no slot yet, at least one.
void Core::end_rest(Job& job, Errc error) {
  for (bool last = false; !last;) {
    const std::uint32_t task = job.given_++;
    last = job.given_ == job.tasks_;
    job.complete(task, error);
    end_task(job); // the last one may be the job's end
  }
}

void Core::end_canceled() {
  for (SlotNumber number = 0; number < slot_count; ++number) {
    Slot& slot = ring_->slot(number);
    Assignment& assignment = assignments_[number];
    if (!assignment.job || !assignment.job->cancel_wanted_.load(std::memory_order_acquire)) continue;
    const SlotState state = slot.look();
    if (state.status() == Status::queued && slot.change(state, state.with(Status::canceled))) {
      Job& job = *std::exchange(assignment.job, nullptr);
      job.complete(assignment.task, Errc::canceled);
      end_task(job);
    } else {
      doom(slot, Errc::canceled);
    }
  }
  Job** link = &jobs_;
  while (Job* const job = *link) {
    if (job->cancel_wanted_.load(std::memory_order_acquire)) {
      *link = job->next_;
      end_rest(*job, Errc::canceled);
    } else {
      link = &job->next_;
    }
  }
  last_job_ = link;
}

// Those with a time limit that have not ended: visit(slot, limit).
template <class Visit> void Core::visit_timed(Visit visit) {
  for (SlotNumber number = 0; timed_ > 0 && number < slot_count; ++number) {
    const Assignment& assignment = assignments_[number];
    Slot& slot = ring_->slot(number);
    if (assignment.job && slot.timed && assignment.doom == Errc::none) visit(slot, assignment.job->timeout_.count());
  }
}

void Core::end_late() {
  const std::int64_t time = now();
  visit_timed([&](Slot& slot, std::int64_t limit) {
    const std::int64_t began = slot.began.load(std::memory_order_acquire);
    if (began != 0 && time - began >= limit) doom(slot, Errc::timed_out);
  });
}

void Core::doom(Slot& slot, Errc why) {
  const SlotState state = slot.look();
  if (state.status() != Status::running || !slot.change(state, state.with(Status::doomed))) return;
  assignment_of(slot).doom = why;
  (void)places_[state.worker()].process->kill();
}

// --- Workers, seen from the collector ---

void Core::sleep() {
  if (ring_->watch_completed() || !ring_->begin_sleep()) return;
  Deadline deadline = Deadline::no_matter_what();
  if (start_again_ != 0) deadline = Deadline::at(start_again_);
  const std::int64_t time = timed_ > 0 ? now() : 0;
  visit_timed([&](Slot& slot, std::int64_t limit) { // one that begins later has more time
    const std::int64_t began = slot.began.load(std::memory_order_acquire);
    deadline = std::min(deadline, Deadline::at((began ? began : time) + limit));
  });
  look_at_workers(deadline);
  ring_->end_sleep();
}

void Core::look_at_workers(Deadline deadline) {
  polled_[0] = kernel::Polled(bell_.number(), kernel::Ready::read);
  for (std::size_t i = 0; i < places_.size(); ++i)
    polled_[i + 1] = kernel::Polled(places_[i].process ? places_[i].process->pidfd() : -1, kernel::Ready::read);
  const auto ready = kernel::poll(polled_, deadline);
  if (ready && *ready > 0) {
    if (any(polled_[0].ready())) kernel::clear_event_counter(bell_.number());
    for (WorkerNumber i = 0; i < places_.size(); ++i)
      if (places_[i].process && any(polled_[i + 1].ready())) bury(i);
  }
  if (start_again_ == 0 || now() >= start_again_) start_workers();
}

void Core::start_workers() {
  start_again_ = 0;
  if (stopped_ != Errc::none || ring_->closed()) return;
  for (WorkerNumber i = 0; i < places_.size(); ++i) {
    if (places_[i].process || start_worker(i)) continue;
    if (++failed_starts_ > most_failed_starts && !has_workers()) return stop(Errc::worker_lost);
    start_again_ = now() + std::chrono::nanoseconds(pause_after_failure).count();
    return;
  }
}

bool Core::start_worker(WorkerNumber number) {
  ring_->set_ready(number, false);
  std::optional<Process>& process = places_[number].process;
  process.emplace(ProcessOptions{.name = "pool worker", .daemon = true}, [this, number] { return work(number); });
  if (process->start()) return true;
  process.reset();
  return false;
}

// A worker has died. All that it has completed comes first; then there is what it had in its hands.
void Core::bury(WorkerNumber number) {
  std::optional<Process>& process = places_[number].process;
  process->join();
  process.reset();
  (void)handle_completed();
  std::array<Slot*, slot_count> left;
  std::size_t count = 0;
  {
    const std::lock_guard guard(lock_);
    for (SlotNumber i = 0; i < slot_count; ++i) {
      Slot& slot = ring_->slot(i);
      const SlotState state = slot.look();
      const Assignment& assignment = assignments_[i];
      const bool running = state.status() == Status::running || state.status() == Status::doomed;
      if (state.worker() != number || !(running || state.status() == Status::finished)) continue;
      if (running) {
        slot.error = stopped_ != Errc::none          ? stopped_
                     : assignment.doom != Errc::none ? assignment.doom
                                                     : Errc::worker_lost;
        slot.size = 0;
        slot.state.store(state.with(Status::finished).bits, std::memory_order_relaxed);
      } else if (slot.size > Slot::inline_size) {
        pages_.give_to(parent, slot.pages, slot.size);
      }
      slot.done.exchange(Slot::over, std::memory_order_acq_rel);
      if (assignment.use == Use::direct)
        kernel::futex_wake(slot.done, 1, Sharing::between_processes);
      else
        left[count++] = &slot;
    }
  }
  for (std::size_t i = 0; i < count; ++i) end_slot(*left[i]);
  pages_.free_all_of(owner_of(number));
  ring_->forget_worker(number);
  failed_starts_ = ring_->ready(number) ? 0 : failed_starts_ + 1;
  if (failed_starts_ > most_failed_starts) stop(Errc::worker_lost);
}

// --- The end ---

void Core::stop(Errc why) {
  if (stopped_ != Errc::none) return;
  stopped_ = why;
  {
    const std::lock_guard guard(lock_);
    if (refusal_ == Errc::none) refusal_ = why;
  }
  ring_->close();
  for (Place& place : places_)
    if (place.process) (void)place.process->kill();
}

// There is nothing to do, and nothing more will come.
bool Core::can_close() {
  const std::lock_guard guard(lock_);
  return refusal_ != Errc::none && !ring_->closed() && jobs_under_way_ == 0 && !new_jobs_ && free_count_ == slot_count;
}

bool Core::has_workers() const {
  return std::any_of(places_.begin(), places_.end(), [](const Place& place) { return place.process.has_value(); });
}

// No worker is left: what is queued will not be run.
void Core::end_everything() {
  const Errc why = stopped_ != Errc::none ? stopped_ : Errc::closed;
  {
    const std::lock_guard guard(lock_);
    gone_ = why;
  }
  for (SlotNumber i = 0; i < slot_count; ++i) {
    Slot& slot = ring_->slot(i);
    Use use;
    {
      const std::lock_guard guard(lock_);
      const SlotState state = slot.look();
      if (state.status() != Status::queued && state.status() != Status::canceled) continue;
      use = assignments_[i].use;
      slot.error = why;
      slot.size = 0;
      slot.state.store(state.with(Status::finished).bits, std::memory_order_relaxed);
      slot.done.exchange(Slot::over, std::memory_order_acq_rel);
      if (use == Use::direct) kernel::futex_wake(slot.done, 1, Sharing::between_processes);
    }
    if (use == Use::collected) end_slot(slot);
  }
  handle_request(); // jobs that were accepted before the refusal
  while (Job* const job = jobs_) {
    jobs_ = job->next_;
    end_rest(*job, why);
  }
}

} // namespace rt::pooling
