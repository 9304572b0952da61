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
