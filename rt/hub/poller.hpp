#pragma once
// Poller: how a hub learns which descriptors are ready. A hub gets one when a flow of it first waits for a descriptor.
//
// A flow that waits lies in the descriptor's entry, and is parked as in any other wait, so that deadlines, cancels and
// Timeouts end it as ever. The kernel goes on watching a descriptor when nobody waits for it any more: who serves a
// connection waits for it again and again, and costs no call more than the one in which the hub sleeps. Only when the
// kernel tells twice of something that nobody waits for is it told to be silent.
//
// What is told is that a descriptor is ready, not that it has become so (level-triggered): who waits finds it ready,
// whoever has read from it before. So of several flows that wait to read only the first is made ready; if that does not
// read all, the next look tells again. Errors and a hang-up make all go on.
//
//   the hub looks      when none of its flows is ready: then it sleeps in the Poller if any flow is there;
//                      now and then while some are ready, but not before those of the last look have run
//   others wake it     by wake(), when they find the mark in the hub's inbox which says that it sleeps here
//
// What a descriptor's number means ends with close(2). Whatever closes one by the runtime (kernel::close_file) says so
// here before: its waiters get bad_file_descriptor, and the kernel forgets it, even if another number leads to the same
// file.

#include <rt/base/result.hpp>
#include <rt/hub/descriptor_table.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/poll.hpp>
#include <rt/sync/waiter.hpp>

#include <string_view>

namespace rt::hub {

class Hub;
using kernel::Ready;

/// A flow that waits for a descriptor.
struct DescriptorWaiter : Waiter {
  explicit DescriptorWaiter(Ready events) : wanted(events) {}

  const Ready wanted;
  Ready found = Ready::none;
  bool closed = false; // the descriptor
};

class Poller {
 public:
  Poller(const Poller&) = delete;

  /// The hub's; made if there is none. Errors of epoll_create1(2) and eventfd(2); not_enough_memory.
  static Result<Poller*> of(Hub& hub);

  /// As HubInfo::engine.
  virtual std::string_view engine() const = 0;

  /// Suspends the running flow; as wait_until_ready.
  Result<Ready> wait(int descriptor, Ready events, Deadline deadline);

  /// A flow is here.
  bool waited_for() const { return waiting_ > 0; }
  /// And those of the last look have run.
  bool due() const { return waiting_ > 0 && !last_woken_; }

  /// Makes those ready whose descriptors are; if there are none, sleeps until there are, until wake() or the deadline.
  virtual void look(Deadline deadline) = 0;

  /// Ends the look that sleeps, or the next one that would. By another thread.
  virtual void wake() = 0;

  /// In a copy of the process: those of the parent are given up there. Their descriptors lead to the parent's own, and
  /// what is closed in the child must not be forgotten in the parent.
  static void abandon_all();

  /// Wakes those who wait for what other threads have closed.
  virtual void look_for_closed();

 protected:
  explicit Poller(Hub& hub) : hub_(hub) {}

  /// Has the kernel watch for the events too. operation_not_permitted: the descriptor is always ready.
  virtual Errc watch(int descriptor, DescriptorEntry& entry, std::uint32_t events) = 0;
  /// Has it forget the descriptor. By any thread.
  virtual void forget(int descriptor) = 0;
  /// Closes the descriptors of its own, and does nothing else.
  virtual void abandon() = 0;

  /// Wakes who waits for the events, and returns those that nobody waits for, if that has been so the last time too.
  std::uint32_t deliver(DescriptorEntry& entry, std::uint32_t events);

  DescriptorTable table_;

 private:
  static inline constinit Atomic<Poller*> all = nullptr;

  static void closing(int descriptor);
  void close(int descriptor);
  void close_from_elsewhere(int descriptor);
  static void end_waits(DescriptorEntry& entry);

  Hub& hub_;
  std::size_t waiting_ = 0;
  DescriptorWaiter* last_woken_ = nullptr; // by a look, and it has not run yet
  Poller* next_ = nullptr;                 // of all: none is ever freed, as its hub
};

} // namespace rt::hub
