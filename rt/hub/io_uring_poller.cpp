#include <rt/hub/io_uring_poller.hpp>

#include <rt/base/panic.hpp>
#include <rt/kernel/event_counter.hpp>
#include <rt/kernel/file.hpp>
#include <rt/memory/heap.hpp>

#include <algorithm>
#include <asm/errno.h>
#include <new>

namespace rt::hub {
namespace {

using kernel::IoUring;

constexpr auto longest_sleep_without_waker = std::chrono::milliseconds(1);

constexpr unsigned submissions = 256, completions = 4096;
constexpr unsigned setup = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;

// What a completion is of, beside the address of a waiter.
constexpr std::uint64_t of_cancel = 0, of_waker = 1;

std::uint64_t data_of(const DescriptorWaiter& waiter) { return reinterpret_cast<std::uintptr_t>(&waiter); }

// A kernel that knows the call may still be kept from using it.
Result<IoUring> make_ring() {
  Result<IoUring> ring = IoUring::make(submissions, completions, setup);
  if (ring.error() == Errc::invalid_argument) return Errc::function_not_supported; // an older kernel
  if (!ring) return ring;
  if (!ring->can_wait()) return Errc::function_not_supported;
  ring->next_submission()->opcode = IORING_OP_NOP;
  if (const Result<void> done = ring->submit_and_wait(Deadline::after(std::chrono::seconds(1))); !done)
    return done.error();
  bool works = false;
  ring->reap([&](const io_uring_cqe& completion) { works = completion.res == 0; });
  return works ? std::move(ring) : Errc::function_not_supported;
}

} // namespace

Result<Poller*> IoUringPoller::make(Hub& hub) {
  Result<IoUring> ring = make_ring();
  if (!ring) return ring.error();
  const Result<int> waker = kernel::make_event_counter();
  if (!waker) return waker.error();
  void* const memory = heap::allocate(sizeof(IoUringPoller), alignof(IoUringPoller));
  if (memory) return ::new (memory) IoUringPoller(hub, std::move(*ring), *waker);
  (void)kernel::close_file(*waker);
  return Errc::not_enough_memory;
}

bool IoUringPoller::available() { return make_ring().ok(); }

Result<io_uring_sqe*> IoUringPoller::prepare(int descriptor, std::uint8_t operation, std::uint64_t data) {
  if (!ring_) {
    Result<IoUring> ring = make_ring();
    if (!ring) return ring.error();
    ring_.emplace(std::move(*ring));
  }
  io_uring_sqe* submission = ring_->next_submission();
  if (!submission) {
    if (const Result<unsigned> taken = ring_->submit(); !taken) return taken.error();
    submission = ring_->next_submission();
    if (!submission) return Errc::not_enough_memory;
  }
  submission->opcode = operation;
  submission->fd = descriptor;
  submission->user_data = data;
  return submission;
}

Result<Ready> IoUringPoller::wait(int descriptor, Ready events, Deadline deadline) {
  const Result<DescriptorEntry*> entry = enter(descriptor);
  if (!entry) return entry.error();
  if ((*entry)->state.fetch_or(DescriptorEntry::watched, std::memory_order_acq_rel) & DescriptorEntry::closed)
    return Errc::bad_file_descriptor; // as another thread has begun to close it meanwhile
  DescriptorWaiter waiter(**entry, events);
  const Result<io_uring_sqe*> submission = prepare(descriptor, IORING_OP_POLL_ADD, data_of(waiter));
  if (!submission) return submission.error();
  submission.value()->poll32_events = static_cast<std::uint32_t>(events);
  waiter.under_way = true;
  const Parked parked = park(waiter, deadline);
  if (waiter.under_way) {
    cancel(waiter);
    await_wake(waiter);
  }
  // What the kernel has found counts, even if there was no time left for it.
  if (waiter.closed) return Errc::bad_file_descriptor;
  if (waiter.result == -ECANCELED && parked != Parked::unparked) return error_of(parked);
  if (waiter.result < 0) return Error::from_kernel(waiter.result);
  return static_cast<Ready>(waiter.result);
}

void IoUringPoller::cancel(DescriptorWaiter& waiter) {
  if (waiter.canceled) return;
  for (;;) {
    const Result<io_uring_sqe*> submission = prepare(-1, IORING_OP_ASYNC_CANCEL, of_cancel);
    if (submission) {
      submission.value()->addr = data_of(waiter);
      break;
    }
    look(Deadline::at(0)); // makes room
    if (!waiter.under_way) return;
  }
  waiter.canceled = true;
  ++ending_;
}

// One operation that completes each time that something is written to the eventfd, which nobody has to read.
bool IoUringPoller::listen_to_waker() {
  if (listens_) return true;
  const Result<io_uring_sqe*> submission = prepare(waker_, IORING_OP_POLL_ADD, of_waker);
  if (!submission) return false;
  submission.value()->len = IORING_POLL_ADD_MULTI;
  submission.value()->poll32_events = static_cast<std::uint32_t>(Ready::read);
  return listens_ = true;
}

void IoUringPoller::look(Deadline deadline) {
  if (!ring_) return;
  if (deadline == Deadline::at(0)) {
    if (!ring_->needs_call() && !ring_->has_completions()) return;
  } else if (!listen_to_waker()) {
    deadline = std::min(deadline, Deadline::after(longest_sleep_without_waker));
  }
  const Result<void> waited = ring_->submit_and_wait(deadline);
  ring_->reap([this](const io_uring_cqe& completion) { take(completion); });
  const Errc code = waited.error().code;
  if (code != Errc::none && code != Errc::interrupted && code != Errc::would_block &&
      code != Errc::device_or_resource_busy)
    panic("io_uring_enter(2) fails: {}", waited.error());
}

void IoUringPoller::take(const io_uring_cqe& completion) {
  if (completion.user_data == of_cancel) return;
  if (completion.user_data == of_waker) {
    listens_ = completion.flags & IORING_CQE_F_MORE;
    return;
  }
  auto& waiter = *reinterpret_cast<DescriptorWaiter*>(completion.user_data);
  waiter.under_way = false;
  waiter.result = completion.res;
  if (waiter.canceled) --ending_;
  Poller::wake(waiter);
}

void IoUringPoller::wake() { kernel::add_to_event_counter(waker_); }

void IoUringPoller::end_thread() {
  Poller::end_thread();
  ring_.reset();
  listens_ = false;
}

void IoUringPoller::abandon() {
  ring_.reset();
  (void)kernel::close_file(waker_);
}

} // namespace rt::hub
