// Asynchronous operations by a few threads that make ordinary calls, where io_uring is forbidden.
//
// What goes to a device keeps its thread for as long as that takes. A pipe, a socket or a terminal may have to wait for
// somebody on the other side for any time: each such operation has a fiber in one of the threads, which waits until the
// descriptor is ready, so that they complete in the order in which data comes, and can be canceled.

#include <rt/io/aio_backend.hpp>
#include <rt/kernel/ready_file.hpp>
#include <rt/kernel/seekable.hpp>
#include <rt/sync/queue.hpp>
#include <rt/thread/thread.hpp>

#include <vector>

namespace rt::aio {

class ThreadBackend final : public Backend {
 public:
  explicit ThreadBackend(Shared& shared) : Backend(shared) {}
  ~ThreadBackend() override {
    waiting_.shutdown();
    for (Thread& thread : threads_) thread.join();
  }

  Result<void> start(unsigned count) {
    threads_.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
      Thread& thread = threads_.emplace_back(ThreadOptions{.name = "aio"}, [this] { work(); });
      const Result<void> started = thread.start();
      if (!started && i == 0) return started;
      if (!started) break; // fewer do as well
    }
    return {};
  }

  std::string_view name() const override { return "threads"; }

  void begin(Operation& operation) override { (void)waiting_.put(&operation); }
  void flush() override {}

  void cancel(Operation& operation) override {
    const std::lock_guard guard(lock_);
    operation.cancel_wanted_ = true;
    if (operation.fiber_.joinable()) operation.fiber_.cancel();
  }

  void look() override {
    std::vector<Ended> ended;
    {
      const std::lock_guard guard(lock_);
      ended.swap(ended_);
    }
    for (const auto& [operation, result] : ended) shared_.complete(*operation, result);
  }

 private:
  struct Ended {
    Operation* operation;
    long result;
  };

  void work() {
    // Signals are for the program's own threads; SIGPIPE is told by the result.
    kernel::block_signals(kernel::SignalSet::all().without(kernel::fault_signals));
    while (const Result<Operation*> next = waiting_.get()) {
      Operation& operation = **next;
      if (is_short(operation))
        end(operation, canceled_already(operation) ? canceled : call(operation));
      else
        wait_in_fiber(operation);
    }
  }

  static bool is_short(const Operation& operation) {
    const bool syncs = operation.kind_ == Kind::sync || operation.kind_ == Kind::sync_data;
    return syncs || kernel::is_on_device(operation.descriptor_);
  }

  void wait_in_fiber(Operation& operation) {
    const std::lock_guard guard(lock_);
    Result<Fiber<void>> fiber =
        operation.cancel_wanted_
            ? Errc::canceled
            : try_spawn(FiberOptions{.name = "aio"}, [this, &operation] { end(operation, wait_and_call(operation)); });
    if (!fiber) return end_locked(operation, -static_cast<long>(fiber.error().code));
    operation.fiber_ = std::move(*fiber);
  }

  bool canceled_already(const Operation& operation) {
    const std::lock_guard guard(lock_);
    return operation.cancel_wanted_;
  }

  static char* memory(const Operation& operation) { return static_cast<char*>(operation.memory_); }
  static long number(const Result<std::size_t>& result) {
    return result ? static_cast<long>(*result) : number(Result<void>(result.error()));
  }
  static long number(const Result<void>& result) { return -static_cast<long>(result.error().code); }

  static long call(const Operation& operation) {
    const int descriptor = operation.descriptor_;
    const auto bytes = std::span(memory(operation), operation.size_);
    const bool moves = operation.offset_ == at_position;
    switch (operation.kind_) {
    case Kind::read:
      return number(moves ? kernel::read_file(descriptor, bytes)
                          : kernel::read_file_at(descriptor, bytes, operation.offset_));
    case Kind::write:
      return number(moves ? kernel::write_file(descriptor, bytes)
                          : kernel::write_file_at(descriptor, bytes, operation.offset_));
    case Kind::sync: return number(kernel::sync_file(descriptor));
    case Kind::sync_data: return number(kernel::sync_file_data(descriptor));
    }
    return 0;
  }

  static long wait_and_call(const Operation& operation) {
    const bool reads = operation.kind_ == Kind::read;
    const auto bytes = std::span(memory(operation), operation.size_);
    // It would never be ready for the other.
    if (reads ? !kernel::is_readable(operation.descriptor_) : !kernel::is_writable(operation.descriptor_))
      return -static_cast<long>(Errc::bad_file_descriptor);
    for (;;) {
      const Result<Ready> ready = wait_until_ready(operation.descriptor_, reads ? Ready::read : Ready::write);
      if (!ready) return number(Result<void>(ready.error()));
      const auto moved = reads ? kernel::read_if_ready(operation.descriptor_, bytes)
                               : kernel::write_if_ready(operation.descriptor_, bytes);
      if (moved || moved.error() != Errc::would_block) return number(moved);
    }
  }

  void end(Operation& operation, long result) {
    const std::lock_guard guard(lock_);
    end_locked(operation, result);
  }

  // From here on the operation may be gone at any time, once the lock is free.
  void end_locked(Operation& operation, long result) {
    operation.fiber_ = Fiber<void>();
    ended_.push_back({&operation, result});
    shared_.notify();
    if (shared_.signal_in) (void)kernel::write_file(shared_.signal_in.number(), {"", 1});
  }

  static constexpr long canceled = -static_cast<long>(Errc::canceled);

  Queue<Operation*> waiting_;
  FutexLock lock_; // of what follows, and of the operations' own parts
  std::vector<Ended> ended_;
  std::vector<Thread> threads_;
};

Result<std::unique_ptr<Backend>> make_thread_backend(Shared& shared, unsigned threads) {
  auto backend = std::make_unique<ThreadBackend>(shared);
  if (const Result<void> started = backend->start(threads); !started) return started.error();
  return std::unique_ptr<Backend>(std::move(backend));
}

} // namespace rt::aio
