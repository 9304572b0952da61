#pragma once
// Poller: how a hub learns which descriptors are ready, by epoll(7) or io_uring(7). A hub gets one when a flow of it
// first waits for a descriptor: by the engine that the environment names, RT_ENGINE=epoll or RT_ENGINE=io_uring, which
// ends the program with a message if that is impossible here; else by the one that was found to be the better one.
//
// A flow that waits lies in the descriptor's entry, and is parked as in any other wait, so that deadlines, cancels and
// Timeouts end it as ever. What it is told is that the descriptor is ready, not that it has become so
// (level-triggered): who waits finds it ready, whoever has read from it before.
//
//   the hub looks      when none of its flows is ready: again and again for a moment, as long as that pays (spin.hpp),
//                      then it sleeps in the Poller if any flow is there;
//                      now and then while some are ready, but not before those of the last look have run
//   others wake it     by wake(), when they find the mark in the hub's inbox which says that it sleeps here
//
// What a descriptor's number means ends with close(2). Whatever closes one by the runtime (kernel::close_file) says so
// here before: its waiters get bad_file_descriptor, and the kernel forgets it, even if another number leads to the same
// file. (A wait that begins while another thread is about to close may miss it: who closes what others use has to know
// that they wait, as shutdown(2) need not.)
//
// A child process has none of its parent's, as it has none of the hubs.

#include <rt/base/result.hpp>
#include <rt/hub/descriptor_table.hpp>
#include <rt/hub/hub.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/poll.hpp>
#include <rt/sync/waiter.hpp>

#include <cstddef>
#include <string_view>

namespace rt::hub {

using kernel::Ready;

/// A flow that waits for a descriptor.
struct DescriptorWaiter : Waiter {
  DescriptorWaiter(DescriptorEntry& descriptor, Ready events) : entry(descriptor), wanted(events) {}

  DescriptorEntry& entry;
  const Ready wanted;
  Ready found = Ready::none;
  bool closed = false; // the descriptor
  // Of io_uring: the kernel has an operation, or will have it, and will say that it has ended, and how.
  bool under_way = false, canceled = false;
  std::int32_t result = 0;
};

class Poller {
 public:
  Poller(const Poller&) = delete;

  /// The hub's; made if there is none, or if the one that an earlier thread has left is of another engine. Errors of
  /// epoll_create1(2) and eventfd(2); not_enough_memory.
  static Result<Poller*> of(Hub& hub);

  /// Its hub has a thread.
  bool in_use() const { return !thread_ended_; }

  /// As HubInfo::engine.
  virtual std::string_view engine() const = 0;

  /// Suspends the running flow; as wait_until_ready.
  virtual Result<Ready> wait(int descriptor, Ready events, Deadline deadline) = 0;

  /// A flow is here.
  bool waited_for() const { return waiting_ > 0; }
  /// And those of the last look have run.
  bool due() const { return waiting_ > 0 && !last_woken_; }

  /// Makes those ready whose descriptors are; if there are none, sleeps until there are, until wake() or the deadline.
  virtual void look(Deadline deadline) = 0;

  /// Ends the look that sleeps, or the next one that would. By another thread.
  virtual void wake() = 0;

  /// Wakes those who wait for what other threads have closed.
  virtual void look_for_closed();

  /// A wait has been ended that the kernel has to let go of before its flow can go on.
  virtual bool ends_waits() const { return false; }

  /// The hub's thread ends; another one may have the hub later.
  virtual void end_thread();

  /// In a copy of the process: those of the parent are given up there. Their descriptors lead to the parent's own, and
  /// what is closed in the child must not be forgotten in the parent.
  static void abandon_all();

 protected:
  explicit Poller(Hub& hub) : hub_(hub) {}

  /// The entry of a descriptor that a flow is about to wait for. bad_file_descriptor, not_enough_memory.
  Result<DescriptorEntry*> enter(int descriptor);
  /// Suspends the running flow in the entry. Inline, as Hub::park_inline.
  [[gnu::always_inline]] Parked park(DescriptorWaiter& waiter, Deadline deadline) {
    waiter.entry.waiters.push_back(waiter);
    ++waiting_;
    hub_.fetch_ahead();
    const Parked parked = hub_.park_inline(waiter, deadline);
    --waiting_;
    if (waiter.listed) waiter.entry.waiters.remove(waiter);
    if (last_woken_ == &waiter) last_woken_ = nullptr;
    return parked;
  }
  /// Suspends it once more, outside of the entry, until wake().
  void await_wake(DescriptorWaiter& waiter);
  /// Takes a flow out of the entry and makes it ready.
  void wake(DescriptorWaiter& waiter);

  /// Has the kernel forget the descriptor. By any thread.
  virtual void forget(int descriptor) = 0;
  /// Ends the wait of one that is no longer in the entry, as the descriptor is closed.
  virtual void end_wait(DescriptorWaiter& waiter) = 0;
  /// Closes the descriptors of its own, and does nothing else.
  virtual void abandon() = 0;

  DescriptorTable table_;

 private:
  static inline constinit Atomic<Poller*> all = nullptr;

  static void closing(int descriptor);
  void close(int descriptor);
  void close_from_elsewhere(int descriptor);
  void end_waits(DescriptorEntry& entry);

  Hub& hub_;
  bool thread_ended_ = false; // of the hub's, and nobody has it now
  std::size_t waiting_ = 0;
  DescriptorWaiter* last_woken_ = nullptr; // by a look, and it has not run yet
  Poller* next_ = nullptr;                 // of all: none is ever freed, as its hub
};

} // namespace rt::hub
