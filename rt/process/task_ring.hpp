#pragma once
// TaskRing: the memory by which a pool's parent hands tasks to its workers and gets their results.
//
//   slots       one for each task that is under way: what to run, its arguments, later its result
//   ring        a FIFO of slots that wait for a worker; the parent writes it, the workers read it
//   completed   a stack of slots whose tasks have ended: workers push to it, the parent takes it as a whole
//
// A slot's `state`, which only says who may touch the slot, holds a status, a worker and a generation:
//
//   free        the parent's                             left by  the parent: to queued, in the next generation
//   queued      whoever takes it                                  a worker: to running;  the parent: to canceled
//   canceled    the same, but it is not to be run                 a worker: to running, and finishes it at once
//   running     the worker's                                      the worker: to finished;  the parent: to doomed
//   doomed      the worker's, which is being killed               the parent, when it has died: to finished
//   finished    the parent's again                                the parent: to free
//
// `done` is what one thread of the parent waits for that wants this result and no other:
//
//   pending     it looks at the word                     left by  the worker: to over;  itself: to asleep, collected
//   asleep      it is in futex(2)                                 the worker: to over, and wakes it;  itself: to
//   collected collected   nobody waits for the word                         the worker: to over, and pushes the slot to
//   `completed` over        the task has ended
//
// Killed workers. Each step that others have to know of is one atomic operation, so wherever a worker is killed, every
// slot says whose it is. A worker takes a task by its slot's state; that `head` goes on is a matter of bookkeeping,
// which anybody does who finds the slot at the head taken, also in a dead worker's place. What a dead worker had in its
// hands is found by its number in the state; if that says finished, nothing but the notice is missing. (A slot has a
// place in the ring only while it is queued or its place has not been passed; the generation tells a late reader that
// the slot he found there is by now used for another task.)
//
// No wake-up is lost. A worker that finds no task is the one that spins, if there is none yet, or sleeps. Before it
// sleeps it says so (`sleepers`) and then looks at `tail` again; the parent moves `tail` and then looks for a spinner
// and for sleepers, all in seq_cst order, so either the worker sees the task or the parent sees the worker. The spinner
// has to look at `tail` once more after it has said that it is none any more, and a worker that takes a task while
// there are more wakes the next. Where a worker was killed that was to do so, the parent wakes all. The same holds
// between workers and the parent's collector, by the mark that it leaves in `completed`.
//
// A worker that hands back a result while no other task waits becomes the spinner before that, since it will look for
// the next one right away: so whoever got the result and has another task at once need not wake anybody.

#include <rt/kernel/clock.hpp>
#include <rt/sync/wait.hpp>

#include <arch/cpu.hpp>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace rt::pooling {

class Incoming;
class Outgoing;

/// A worker's place in the pool; not its process id. A worker that is replaced leaves its place to the new one.
using WorkerNumber = std::uint32_t;
using SlotNumber = std::uint32_t;

inline constexpr WorkerNumber most_workers = 1023;
inline constexpr SlotNumber slot_count = 1024;

enum class Status : std::uint32_t { free, queued, canceled, running, doomed, finished };

struct SlotState {
  std::uint32_t bits = 0;

  constexpr SlotState() = default;
  constexpr explicit SlotState(std::uint32_t word) : bits(word) {}
  constexpr SlotState(Status status, WorkerNumber worker, std::uint32_t generation)
      : bits(static_cast<std::uint32_t>(status) | worker << 4 | generation << 16) {}

  constexpr Status status() const { return static_cast<Status>(bits & 15); }
  constexpr WorkerNumber worker() const { return bits >> 4 & 0xfff; }
  constexpr std::uint32_t generation() const { return bits >> 16; }
  constexpr SlotState with(Status status) const { return SlotState(status, worker(), generation()); }
};

/// Runs a task: decodes the message, calls the function, encodes what it returns. An error: why there is no result.
using Run = Errc(Incoming message, Outgoing& answer);

/// What a slot holds besides its states: a message to a worker, then the answer.
struct Slot {
  static constexpr std::uint32_t pending = 0, asleep = 1, collected = 2, over = 3;
  static constexpr std::size_t inline_size = 208;

  Atomic<std::uint32_t> state = 0;
  Word done = pending;
  std::uint32_t next = 0;         // in `completed`: the number of the next one, plus 1
  Errc error = Errc::none;        // why there is no result
  Run* run = nullptr;             // the same address in all the processes
  std::uint64_t size = 0;         // bytes of the message
  std::uint32_t pages = 0;        // where it is, if it is larger than `inline_size`
  std::uint32_t timed = 0;        // the parent wants to know when the task begins
  Atomic<std::int64_t> began = 0; // on Clock; 0: not yet
  alignas(16) std::byte data[inline_size] = {};

  SlotState look() const { return SlotState(state.load(std::memory_order_acquire)); }
  /// Changes the state if it is still that one.
  bool change(SlotState from, SlotState to) {
    return state.compare_exchange_strong(from.bits, to.bits, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
};
static_assert(sizeof(Slot) == 256);

class TaskRing {
 public:
  /// Memory that is all zero is a ring without workers.
  TaskRing() = delete;
  void begin(std::uint32_t workers) { worker_count_ = workers; }

  Slot& slot(SlotNumber number) { return slots_[number]; }
  SlotNumber number_of(const Slot& slot) const { return static_cast<SlotNumber>(&slot - slots_.data()); }

  // --- The parent. One thread at a time, except for those that say otherwise. ---

  /// Queues a slot that is free and filled. To be followed by notify().
  void publish(Slot& slot);
  /// Sees to it that what was published is taken. Any thread.
  void notify() {
    if (spinner_.load(std::memory_order_seq_cst) == 0) wake_one();
  }
  /// Workers that have nothing to do end from now on.
  void close();
  bool closed() const { return closed_.load(std::memory_order_seq_cst) != 0; }
  /// What has to be done for a worker that died, beside its slots.
  void forget_worker(WorkerNumber worker);

  /// The slots that have ended since the last call, in this order, linked by `next`; or `request`, or both. 0: none.
  std::uint32_t take_completed();
  /// Pushes a mark in place of a slot, so that the collector looks for what the parent's other threads want. True: it
  /// has to be woken. Any thread.
  bool push_request();
  static constexpr std::uint32_t request = slot_count + 1;
  /// After this, there can be another request. To be called before what was requested is looked at.
  void accept_request() { requested_.store(0, std::memory_order_seq_cst); }
  /// The number of what follows in the list that take_completed() returned.
  std::uint32_t after(std::uint32_t taken) const { return taken == request ? request_next_ : slots_[taken - 1].next; }

  /// Looks for a short time whether something is completed.
  bool watch_completed() const { return spin_while(completed_, 0); }
  /// Leaves the mark that the collector has to be woken. False: something is completed.
  bool begin_sleep();
  void end_sleep();

  // --- A worker. ---

  /// The next task; nullptr: there is none. One that was canceled has no `run`.
  Slot* take(WorkerNumber worker);
  /// Blocks until there may be one, or the ring is closed.
  void wait_for_task(WorkerNumber worker);
  /// Hands the slot back. False: the worker is to be killed and must not go on. `wake_collector`: see push_request().
  bool finish(WorkerNumber worker, Slot& slot, bool& wake_collector);

  /// The worker has begun to take tasks.
  void set_ready(WorkerNumber worker, bool ready) { workers_[worker].ready.store(ready, std::memory_order_release); }
  bool ready(WorkerNumber worker) const { return workers_[worker].ready.load(std::memory_order_acquire) != 0; }

 private:
  static constexpr std::uint32_t collector_asleep = 0xffffffff; // in completed_
  static constexpr std::size_t words = (most_workers + 63) / 64;

  struct alignas(arch::cache_line) Worker {
    static constexpr std::uint32_t awake = 0, asleep = 1;
    Word bell = awake; // what it sleeps on
    Word ready = 0;
  };

  std::optional<Status> take(Slot& slot, WorkerNumber worker, std::uint32_t generation);
  bool become_spinner(WorkerNumber worker);
  void wake_one();
  void ring_bell(WorkerNumber worker);
  bool push_completed(std::uint32_t number, std::uint32_t& next);

  // Positions in the ring never wrap.
  union alignas(arch::cache_line) {
    Atomic<std::uint64_t> tail_;
    Word tail_word_; // its lower half, to spin on
  };
  alignas(arch::cache_line) Atomic<std::uint64_t> head_ = 0;
  alignas(arch::cache_line) Word spinner_ = 0; // the number of the worker that looks for tasks, plus 1; 0: none
  Word closed_ = 0;
  std::uint32_t worker_count_ = 0;
  std::array<Atomic<std::uint64_t>, words> sleepers_ = {}; // a bit for each worker
  alignas(arch::cache_line) Word completed_ = 0;           // the number of the slot that ended last, plus 1
  alignas(arch::cache_line) Word requested_ = 0;           // the request has been pushed and not taken
  std::uint32_t request_next_ = 0;
  alignas(arch::cache_line) std::array<Atomic<std::uint32_t>, slot_count> ring_ = {}; // number, and generation << 16
  std::array<Worker, most_workers> workers_ = {};
  alignas(arch::cache_line) std::array<Slot, slot_count> slots_ = {};
};
static_assert(std::endian::native == std::endian::little);

} // namespace rt::pooling
