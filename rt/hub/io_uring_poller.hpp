#pragma once
// IoUringPoller: a Poller by io_uring(7).
//
// Each wait is an operation that the kernel is given, with the address of its DescriptorWaiter. Those of all flows go
// to the kernel in the one call in which the hub sleeps.
//
// The kernel has the waiter, and holds the file, until it says that the operation has ended. So a flow whose time is
// over, who is canceled, or whose descriptor is closed has the operation canceled, and waits on for that.
//
//   one issuer   a ring belongs to the thread that made it (IORING_SETUP_SINGLE_ISSUER), so it ends with the thread,
//                and who has the hub next makes another one
//   deferred     what is completed shows when the hub looks, and interrupts nobody (IORING_SETUP_DEFER_TASKRUN)
//
// The ring only says what is ready; accepting, receiving and sending remain calls of their own. It could do more:
//
//   multishot receive   takes bytes out of a socket while nobody reads. They would be in this process, and missed by
//                       all others who have the socket: who has inherited it, was passed it, has duplicated it, or
//                       makes a plain call with its number; and a forked child would have its copy of them
//   multishot accept    takes connections while nobody accepts. A hub that is busy would sit on them, though other
//                       processes at the same listener are idle
//   a single receive    straight into the reader's buffer is right, as it is what a blocking recv(2) does. Microseconds
//                       of the server's CPU for an echo of 64 bytes, the best of 15 to 25 runs in turns on two CPUs:
//                       5.5 instead of 5.8 with 50 connections, 6.1 instead of 6.1 with 200, 7.8 instead of 7.6 and 6.8
//                       instead of 6.5 with 1000. That is not worth a second way to read
//   sending as well     5.4 with 50 connections, 7.3 with 1000, but what is written leaves only when the hub looks

#include <rt/hub/poller.hpp>
#include <rt/kernel/io_uring.hpp>

#include <optional>

namespace rt::hub {

class IoUringPoller final : public Poller {
 public:
  /// Errors of io_uring_setup(2); function_not_supported: the kernel is older than Linux 6.1, or does not do what it
  /// promises.
  static Result<Poller*> make(Hub& hub);

  /// The kernel allows it.
  static bool available();

  std::string_view engine() const override { return "io_uring"; }
  Result<Ready> wait(int descriptor, Ready events, Deadline deadline) override;
  void look(Deadline deadline) override;
  void wake() override;
  bool ends_waits() const override { return ending_ > 0; }
  void end_thread() override;

 private:
  IoUringPoller(Hub& hub, kernel::IoUring&& ring, int waker) : Poller(hub), ring_(std::move(ring)), waker_(waker) {}

  void forget(int) override {}
  void end_wait(DescriptorWaiter& waiter) override { cancel(waiter); }
  void abandon() override;

  Result<io_uring_sqe*> prepare(int descriptor, std::uint8_t operation, std::uint64_t data);
  void cancel(DescriptorWaiter& waiter);
  bool listen_to_waker();
  void take(const io_uring_cqe& completion);

  std::optional<kernel::IoUring> ring_; // none after the end of a thread
  const int waker_;                     // an eventfd
  bool listens_ = false;                // to it
  std::size_t ending_ = 0;              // canceled operations
};

} // namespace rt::hub
