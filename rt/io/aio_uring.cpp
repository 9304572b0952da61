// Asynchronous operations by io_uring: the kernel carries them out, and writes to the event when one has completed.
//
// What a completion belongs to is told by its user data: an operation's address, with a bit for the poll that an
// operation waits in whose descriptor is non-blocking and not ready; 0: nobody's.
//
// Where a signal is wanted, a write of one byte to the pipe whose other end is signal-driven follows each operation as
// a link: so it is the kernel that sends the signal, with no thread in between.

#include <rt/io/aio_backend.hpp>
#include <rt/kernel/io_uring.hpp>

#include <algorithm>
#include <deque>

namespace rt::aio {

class UringBackend final : public Backend {
 public:
  UringBackend(Shared& shared, kernel::IoUring ring) : Backend(shared), ring_(std::move(ring)) {}

  std::string_view name() const override { return "io_uring"; }

  void begin(Operation& operation) override { waiting_.push_back(&operation); }

  void flush() override {
    for (; !waiting_.empty() && has_room(); ++begun_) {
      begin_now(*waiting_.front());
      waiting_.pop_front();
    }
    hand_over();
  }

  void cancel(Operation& operation) override {
    if (std::exchange(operation.cancel_wanted_, true)) return;
    if (operation.phase_ == Operation::Phase::queued) {
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &operation));
      shared_.complete(operation, canceled);
      return shared_.notify();
    }
    io_uring_sqe& entry = next_entry(IORING_OP_ASYNC_CANCEL, -1, 0);
    entry.addr = user_data(operation);
    hand_over();
  }

  void look() override {
    ring_.reap([this](const io_uring_cqe& completion) {
      if (completion.user_data == 0) return;
      auto& operation = *reinterpret_cast<Operation*>(completion.user_data & ~poll_bit);
      const bool stopped = completion.res == would_block || completion.res == interrupted;
      const bool polled = completion.user_data & poll_bit && completion.res >= 0;
      if (operation.cancel_wanted_ && (stopped || polled))
        complete(operation, canceled);
      else if (completion.res == would_block)
        poll(operation);
      else if (polled)
        begin_now(operation);
      else
        complete(operation, completion.res);
    });
    flush();
  }

 private:
  static constexpr std::uint64_t poll_bit = 1;
  static constexpr int would_block = -static_cast<int>(Errc::would_block);
  static constexpr int interrupted = -static_cast<int>(Errc::interrupted);
  static constexpr int canceled = -static_cast<int>(Errc::canceled);
  static constexpr char byte = 0;

  // The completions of an operation that may be on their way: its own, the link's, and that of a cancel.
  bool has_room() const { return (begun_ + 1) * 3 <= ring_.completion_size(); }

  static std::uint64_t user_data(const Operation& operation) {
    return reinterpret_cast<std::uint64_t>(&operation) | (operation.phase_ == Operation::Phase::polling ? poll_bit : 0);
  }

  io_uring_sqe& next_entry(unsigned operation, int descriptor, std::uint64_t data) {
    io_uring_sqe* entry = ring_.next_submission();
    while (!entry) { // the kernel is short of memory if it does not take any
      if (ring_.submit().value_or(0u) == 0) yield();
      entry = ring_.next_submission();
    }
    entry->opcode = static_cast<std::uint8_t>(operation);
    entry->fd = descriptor;
    entry->user_data = data;
    return *entry;
  }

  void begin_now(Operation& operation) {
    static constexpr std::uint8_t opcodes[] = {IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC, IORING_OP_FSYNC};
    const bool linked = shared_.signal_in.is_open();
    if (linked && !ring_.has_room_for(2)) hand_over(); // a link's two entries go to the kernel together
    operation.phase_ = Operation::Phase::begun;
    io_uring_sqe& entry =
        next_entry(opcodes[static_cast<unsigned>(operation.kind_)], operation.descriptor_, user_data(operation));
    entry.addr = reinterpret_cast<std::uint64_t>(operation.memory_);
    entry.len = static_cast<std::uint32_t>(std::min<std::size_t>(operation.size_, most_bytes));
    entry.off = operation.offset_;
    if (operation.kind_ == Kind::sync_data) entry.fsync_flags = IORING_FSYNC_DATASYNC;
    if (!linked) return;
    entry.flags = IOSQE_IO_HARDLINK; // after a failure, too
    io_uring_sqe& signal = next_entry(IORING_OP_WRITE, shared_.signal_in.number(), 0);
    signal.addr = reinterpret_cast<std::uint64_t>(&byte);
    signal.len = sizeof byte;
  }

  void poll(Operation& operation) {
    operation.phase_ = Operation::Phase::polling;
    io_uring_sqe& entry = next_entry(IORING_OP_POLL_ADD, operation.descriptor_, user_data(operation));
    entry.poll32_events = static_cast<std::uint32_t>(operation.kind_ == Kind::read ? Ready::read : Ready::write);
  }

  void complete(Operation& operation, int result) {
    --begun_;
    shared_.complete(operation, result);
  }

  // What the kernel does not take now, for lack of memory, has to be offered again.
  void hand_over() {
    (void)ring_.submit();
    if (ring_.has_submissions()) shared_.notify();
  }

  // One call moves no more than that (MAX_RW_COUNT).
  static constexpr std::size_t most_bytes = 0x7ffff000;

  kernel::IoUring ring_;
  unsigned begun_ = 0;             // operations that the kernel has
  std::deque<Operation*> waiting_; // for room
};

// io_uring may be forbidden in several ways, and half of it may be missing: only an operation that has gone through
// tells that it works.
static Result<void> try_out(kernel::IoUring& ring, const Shared& shared) {
  if (const Result<void> notified = ring.notify(shared.event.number()); !notified) return notified;
  io_uring_sqe* const entry = ring.next_submission();
  if (!entry) return Errc::function_not_supported;
  entry->opcode = IORING_OP_NOP;
  entry->user_data = 1;
  if (const Result<unsigned> submitted = ring.submit(); !submitted) return submitted.error();
  kernel::Polled event(shared.event.number(), Ready::read);
  const Result<unsigned> ready = kernel::poll({&event, 1}, Deadline::after(std::chrono::seconds(1)));
  bool completed = false;
  ring.reap([&](const io_uring_cqe& completion) { completed = completion.user_data == 1 && completion.res == 0; });
  shared.reset_event();
  if (!ready || *ready == 0 || !completed) return Errc::function_not_supported;
  return {};
}

Result<std::unique_ptr<Backend>> make_uring_backend(Shared& shared, unsigned entries) {
  Result<kernel::IoUring> ring = kernel::IoUring::make(std::max(entries, 2u), 4 * std::max(entries, 2u));
  if (!ring) return ring.error();
  if (const Result<void> works = try_out(*ring, shared); !works) return works.error();
  return std::unique_ptr<Backend>(std::make_unique<UringBackend>(shared, std::move(*ring)));
}

} // namespace rt::aio
