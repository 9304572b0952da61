#pragma once
// Job: what a caller has given to a pool: one task, or many that belong together.
//
// The pool's collector, a thread of the parent, asks a job for the messages of its tasks (prepare), gives it the
// answers (complete), calls its callbacks (finish) and tells who waits for it. So all but the waiting happens in one
// thread, and a job needs no lock.

#include <rt/process/message.hpp>
#include <rt/sync/event_count.hpp>

#include <chrono>
#include <cstdint>

namespace rt::pooling {

class Core;

class Job {
 public:
  explicit Job(std::uint32_t tasks) : tasks_(tasks) {}
  Job(const Job&) = delete;
  virtual ~Job() = default;

  // Each user, among them the pool until the job has ended, keeps it alive.
  void add_user() { users_.fetch_add(1, std::memory_order_relaxed); }
  void drop() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// All its tasks have ended, and its callback has returned.
  bool ended() const { return ended_.load(std::memory_order_seq_cst) != 0; }
  /// Blocks until then. timed_out, canceled; deadlock: the caller is the collector, in a callback;
  /// operation_not_permitted: the pool is another process's.
  Result<void> wait(Deadline deadline);
  /// Blocks until look() is true, as it will be after a complete().
  template <class Look> Result<void> wait_until(Deadline deadline, Look look) {
    while (!look()) {
      if (const Errc error = refusal(); error != Errc::none) return error;
      const Parked parked = changed_.wait(deadline, look);
      if (parked != Parked::unparked && !look()) return error_of(parked);
    }
    return {};
  }

  /// Has its tasks canceled, those that run by killing their workers.
  void cancel();

 protected:
  /// Encodes a task: sets the slot's `run` and writes the message.
  virtual Errc prepare(std::uint32_t task, Slot& slot, Outgoing& out) = 0;
  virtual void complete(std::uint32_t task, Result<Incoming> answer) = 0;
  virtual void finish() = 0;

  /// Tells those in wait_until() to look again.
  void notify() { changed_.notify_all(); }

  std::chrono::nanoseconds timeout_ = {}; // for each task, from when it begins; 0: none

 private:
  friend class Core;

  /// Why the caller must not wait.
  Errc refusal() const;

  const std::uint32_t tasks_;
  Atomic<std::uint32_t> users_ = 1;
  Atomic<std::uint32_t> ended_ = 0;
  Atomic<std::uint32_t> cancel_wanted_ = 0;
  EventCount changed_;
  Core* core_ = nullptr; // not to be used any more when the job has ended
  TaskId collector_ = 0;
  std::uint64_t owner_ = 0; // the process that has the pool

  // The collector's.
  Job* next_ = nullptr;
  std::uint32_t given_ = 0;     // tasks that have got a slot
  std::uint32_t completed_ = 0; // tasks
};

} // namespace rt::pooling
