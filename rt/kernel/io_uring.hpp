#pragma once
// io_uring(7): operations that the kernel takes from one ring in shared memory and answers in another.
//
//   submission   entries[mask & tail] is filled in by this side, which then moves `tail`; the kernel moves `head`
//   completion   entries[mask & head] was filled in by the kernel, which then moved `tail`; this side moves `head`
//
// Whoever moves an index releases, whoever reads the other side's acquires. One task at a time uses a ring.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>

#include <linux/io_uring.h>
#include <utility>

namespace rt::kernel {

class IoUring {
 public:
  /// With room for that many submissions and completions, rounded up to powers of two.
  /// function_not_supported, operation_not_permitted: the kernel, or a container's filter, does not allow it;
  /// not_enough_memory. Linux 5.10 or later.
  static Result<IoUring> make(unsigned submissions, unsigned completions, unsigned flags = 0);

  IoUring(IoUring&& other) noexcept;
  IoUring& operator=(IoUring&&) = delete;
  ~IoUring();

  /// The next entry to fill in, all zeros; nullptr: the ring is full until the next submit().
  io_uring_sqe* next_submission();

  /// Hands what was filled in to the kernel, and returns how much of it that was: all, unless the kernel is short of
  /// memory or of room for completions; the rest goes with the next call. would_block, device_or_resource_busy:
  /// nothing.
  Result<unsigned> submit();

  /// The same, and waits until there is a completion or the time is over; with Deadline::at(0) lets the kernel finish
  /// what it can at once. Errc::interrupted: a signal's handler ran. Linux 5.11 or later: see can_wait().
  Result<void> submit_and_wait(Deadline deadline);
  bool can_wait() const { return features_ & IORING_FEAT_EXT_ARG; }

  /// Entries have been filled in that the kernel has not taken, or (of a ring with IORING_SETUP_TASKRUN_FLAG) the
  /// kernel has completions that it will not show before it is called.
  bool needs_call() const { return filled_ != load(submission_.head) || (load(submission_flags_) & IORING_SQ_TASKRUN); }
  bool has_completions() const { return *completion_.head != load(completion_.tail); }

  /// Calls take(completion) for each that is there, and returns their number.
  template <class Take> unsigned reap(Take take) {
    unsigned count = 0;
    unsigned head = *completion_.head; // only this side writes it
    for (; head != load(completion_.tail); ++count) {
      const io_uring_cqe completion = completions_[head & completion_.mask];
      store(completion_.head, ++head); // the entry is free before it is looked at, which may take long
      take(completion);
    }
    return count;
  }

  /// The eventfd is written to at each completion from now on.
  Result<void> notify(int event_descriptor);

  /// Some that were filled in have not been taken.
  bool has_submissions() const { return filled_ != load(submission_.head); }

  /// How many submissions and completions the rings have room for.
  unsigned submission_size() const { return submission_.mask + 1; }
  unsigned completion_size() const { return completion_.mask + 1; }
  /// That many entries can be filled in before the next submit().
  bool has_room_for(unsigned entries) const { return filled_ - load(submission_.head) + entries <= submission_size(); }

 private:
  struct Indices {
    unsigned* head;
    unsigned* tail;
    unsigned mask;
  };
  IoUring() = default;

  static unsigned load(const unsigned* index) { return __atomic_load_n(index, __ATOMIC_ACQUIRE); }
  static void store(unsigned* index, unsigned value) { __atomic_store_n(index, value, __ATOMIC_RELEASE); }

  int descriptor_ = -1;
  unsigned features_ = 0;
  const unsigned* submission_flags_ = nullptr;
  Indices submission_ = {}, completion_ = {};
  unsigned filled_ = 0; // the submission ring's tail, before the kernel is shown it
  io_uring_sqe* submissions_ = nullptr;
  const io_uring_cqe* completions_ = nullptr;
  void* rings_ = nullptr; // one mapping of both
  std::size_t rings_size_ = 0;
};

} // namespace rt::kernel
