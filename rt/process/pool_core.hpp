#pragma once
// Core: a pool without types: its workers, the memory that they share with their parent, and the collector.
//
// The collector is a thread of the parent that all workers are children of (so they die with it, and it with nobody but
// the process). It starts and replaces them, hands out the tasks of jobs, collects what has ended and runs callbacks,
// ends what takes too long or was canceled, and sees from a worker's descriptor that it has died:
//
//   a caller's thread --- one task, direct: slot ---------> workers
//                    ^--- the result, on the slot's word ------'
//
//   callers --- jobs ---> collector --- slots of tasks ---> workers
//          ^--- results --' ^--- completed slots, deaths ------'
//
// A thread that waits for one task (apply) needs no collector: it queues the task itself and waits for the slot's word,
// so that nobody stands between it and the worker.

#include <rt/base/futex_lock.hpp>
#include <rt/io/fd.hpp>
#include <rt/kernel/signal.hpp>
#include <rt/process/pool_job.hpp>
#include <rt/process/process.hpp>
#include <rt/sync/event.hpp>
#include <rt/thread/thread.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace rt {

struct PoolOptions {
  unsigned workers = 0;              ///< 0: one for each CPU; at most 1023
  unsigned max_tasks_per_worker = 0; ///< A worker is replaced after so many; 0: never.
  /// Called in each worker before its first task. A worker that dies in it is replaced; if that goes on and on, the
  /// pool gives up, and all its tasks fail with worker_lost.
  std::function<void()> initializer = {};
  /// Address space for messages of more than 208 bytes. Memory is used only for those that are under way.
  std::size_t shared_memory = std::size_t{1} << 30;
};

namespace pooling {

class Core {
 public:
  /// Starts the workers. What fails here, each call reports: error().
  explicit Core(const PoolOptions& options);
  Core(const Core&) = delete;
  /// Terminates the pool, if it has not ended.
  ~Core();

  /// Gives the job to the pool, which uses it until it has ended. closed; worker_lost: the pool has given up; and what
  /// the constructor failed with.
  Errc submit(Job& job);
  void cancel(Job& job);

  void close();
  void terminate();
  /// still_open; deadlock: called in a callback; timed_out, canceled.
  Result<void> join(Deadline deadline);

  unsigned workers() const { return static_cast<unsigned>(places_.size()); }
  bool is_collector() const { return this_thread_task.id == collector_.id(); }

  /// One task that the calling thread itself waits for.
  class Call {
   public:
    explicit Call(Core& core) : core_(core), slot_(core.begin_call(error_)) {}
    Call(const Call&) = delete;
    ~Call() {
      if (slot_) core_.end_call(*slot_);
    }
    /// False: no slot is free, or there is an error().
    explicit operator bool() const { return slot_ != nullptr; }
    Errc error() const { return error_; }
    Slot& slot() { return *slot_; }
    Outgoing outgoing() { return {*slot_, core_.pages_, parent}; }
    /// Has the task run and waits for the answer, which stays until the Call ends. timed_out, by a Timeout: the task
    /// goes on, for nobody.
    Result<Incoming> run() { return core_.run(slot_); }

   private:
    Core& core_;
    Errc error_ = Errc::none;
    Slot* slot_;
  };

 private:
  // Owners of pages.
  static constexpr std::uint32_t parent = 1;
  static constexpr std::uint32_t owner_of(WorkerNumber worker) { return worker + 2; }

  enum class Use : std::uint8_t { none, direct, collected };
  /// What the parent knows of a slot.
  struct Assignment {
    Use use = Use::none;
    std::uint64_t message_size = 0;
    std::uint32_t message_pages = 0;
    // The collector's, whoever has the slot.
    Errc doom = Errc::none; // why its worker is being killed
    std::uint32_t task = 0;
    Job* job = nullptr; // nullptr: it is a call's, or nobody wants the result
  };

  Assignment& assignment_of(const Slot& slot) { return assignments_[ring_->number_of(slot)]; }

  bool is_inherited() const;
  Errc map_memory(std::size_t size);
  Errc begin();

  Slot* begin_call(Errc& error);
  bool wait_for(Slot& slot);
  Result<Incoming> run(Slot*& slot);
  void end_call(Slot& slot);
  void keep_message(Slot& slot);
  Result<Incoming> answer_in(Slot& slot) const;
  void release(Slot& slot);
  void free_pages(std::uint64_t size, std::uint32_t first);
  void request();

  // In the collector.
  void collect();
  bool handle_completed();
  void handle_request();
  void end_slot(Slot& slot);
  void end_task(Job& job);
  void hand_out();
  using Batch = std::array<Slot*, 32>;
  unsigned take_slots(Batch& slots);
  Errc fill_slot(Slot& slot);
  void remove_first_job();
  void end_canceled();
  void end_rest(Job& job, Errc error);
  template <class Visit> void visit_timed(Visit visit);
  void end_late();
  void doom(Slot& slot, Errc why);
  void sleep();
  void look_at_workers(Deadline deadline);
  void start_workers();
  bool start_worker(WorkerNumber number);
  void bury(WorkerNumber number);
  void stop(Errc why);
  void end_everything();
  bool can_close();
  bool has_workers() const;

  // In a worker.
  int work(WorkerNumber number);

  const std::uint64_t owner_; // the process; a child inherits the pool, but cannot use it
  const unsigned max_tasks_;
  const std::function<void()> initializer_;
  TaskRing* ring_ = nullptr;
  std::size_t memory_size_ = 0;
  SharedPages pages_;
  Fd bell_;                   // rung by workers when the collector sleeps
  kernel::SignalSet signals_; // blocked in the creator, and so in workers
  Thread collector_;
  Event started_;

  FutexLock lock_; // of what follows, and of the ring's end where tasks are published
  Errc refusal_ = Errc::none;
  std::uint32_t free_count_ = 0;
  std::array<std::uint16_t, slot_count> free_; // the one that was used last is on top
  std::array<Assignment, slot_count> assignments_;
  Job* new_jobs_ = nullptr; // latest first
  Errc stop_wanted_ = Errc::none;
  Errc gone_ = Errc::none; // no worker will come any more
  bool starving_ = false;  // the collector waits for slots, or for memory

  Atomic<std::uint32_t> cancel_wanted_ = 0;

  // The collector's.
  struct Place {
    std::optional<Process> process;
  };
  std::vector<Place> places_;
  std::vector<kernel::Polled> polled_;
  Job* jobs_ = nullptr; // that have tasks without a slot, first come first
  Job** last_job_ = &jobs_;
  std::uint32_t jobs_under_way_ = 0;
  std::uint32_t failed_starts_ = 0; // workers that have died before their first task, in a row
  std::uint32_t timed_ = 0;         // slots with a task that has a time limit
  std::int64_t start_again_ = 0;    // on Clock; 0: at once
  Errc stopped_ = Errc::none;
  unsigned rounds_ = 0;
};

} // namespace pooling
} // namespace rt
