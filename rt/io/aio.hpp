#pragma once
// rt::aio: reads, writes and syncs that are submitted together, go on by themselves and complete in any order (POSIX's
// aio(7); the kernel's io_uring where it is allowed).
//
//   auto io = rt::aio::Context::open().value();
//   auto first = rt::aio::read(a, buffer_a, 0), second = rt::aio::read(b, buffer_b, 4096);
//   io.submit(first, second).value();
//   ...                                                    // something else meanwhile
//   const std::size_t size = second.wait().value();
//
// Whoever submits is told of a completion
//
//   by waiting     Operation::wait for one of them, Context::next for whichever completes first, Context::run for all;
//                  a fiber that waits lets the others run
//   by callback    Operation::then, which is called by whoever waits, or looks, in the same Context
//   by signal      Options::signal: the kernel sends it to the process. All that a handler should do is to note that;
//                  Context::look then takes what has completed
//   by descriptor  Context::number is ready to read, for selectors
//
// A Context may be used by several tasks, of several threads, at once. A thread that ends before what it has submitted
// is complete may take it along: io_uring cancels it then.

#include <rt/base/result.hpp>
#include <rt/hub/fiber.hpp>
#include <rt/io/fd.hpp>
#include <rt/kernel/signal.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace rt::aio {

/// In place of an offset: where the file's position is, which moves.
inline constexpr std::uint64_t at_position = ~std::uint64_t{0};

enum class Sync : bool { all, data }; ///< data: without what is not needed to read it again, such as times

class Context;
class List;
struct Shared;

enum class Kind : std::uint8_t { read, write, sync, sync_data };

/// One read, write or sync. It is submitted to a Context and stays where it is, as does its buffer, until it has
/// completed; its destructor cancels it and waits for that. It may then be submitted again.
class Operation {
 public:
  Operation(Kind kind, int descriptor, void* memory, std::size_t size, std::uint64_t offset)
      : kind_(kind), descriptor_(descriptor), memory_(memory), size_(size), offset_(offset) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation();

  /// Has the function called, once, when the operation has completed. To be called before it is submitted. The function
  /// may submit the operation again, or destroy it: nobody else should wait for it then.
  template <class F> void then(F&& callback) { callback_ = std::forward<F>(callback); }

  /// Blocks until it has completed. Returns how many bytes were read (0: the end) or written (both may be fewer than
  /// were asked for, as in read(2) and write(2)), 0 for a sync; its error; canceled. invalid_argument: it was never
  /// submitted. A Timeout or a cancel of the waiting fiber ends the wait (timed_out, canceled), not the operation:
  /// done() tells.
  [[nodiscard]] Result<std::size_t> wait() { return wait_until(Deadline{}); }
  /// The same for a limited time. timed_out: it goes on.
  template <class Rep, class Period>
  [[nodiscard]] Result<std::size_t> wait_for(std::chrono::duration<Rep, Period> timeout) {
    return wait_until(Deadline::after(timeout));
  }

  /// It has completed, and somebody has looked.
  bool done() const { return state_.load(std::memory_order_acquire) == State::done; }
  /// What wait() returns. still_open: it has not completed.
  Result<std::size_t> result() const;

  /// Has it complete with `canceled`, unless it is too late for that: what has begun to move data goes on.
  void cancel();

  int descriptor() const { return descriptor_; }

 private:
  friend class Context;
  friend struct Shared;
  friend class List;
  friend class UringBackend;
  friend class ThreadBackend;

  enum class State : std::uint32_t { idle, submitted, done };

  Result<std::size_t> wait_until(Deadline deadline);

  const Kind kind_;
  const int descriptor_;
  void* const memory_;
  const std::size_t size_;
  const std::uint64_t offset_;
  std::function<void(Operation&)> callback_;
  Atomic<State> state_ = State::idle;
  long result_ = 0; // a negative errno, or what the call returned
  /// Of the Context; nullptr: it is in no list of one.
  Atomic<Shared*> shared_ = nullptr;
  List* list_ = nullptr;
  Operation* next_ = nullptr;
  Operation* previous_ = nullptr;

  // The backend's own.
  enum class Phase : std::uint8_t { queued, begun, polling };
  Phase phase_ = Phase::queued;
  bool cancel_wanted_ = false;
  Fiber<void> fiber_;
};

/// Reads into the buffer, from the offset on: for files; pipes, sockets and terminals have none.
inline Operation read(int descriptor, std::span<char> buffer, std::uint64_t offset = at_position) {
  return {Kind::read, descriptor, buffer.data(), buffer.size(), offset};
}
/// Writes the bytes, from the offset on.
inline Operation write(int descriptor, std::span<const char> bytes, std::uint64_t offset = at_position) {
  return {Kind::write, descriptor, const_cast<char*>(bytes.data()), bytes.size(), offset};
}
/// Completes when what was written to the file before is on the device.
inline Operation sync(int descriptor, Sync what = Sync::all) {
  return {what == Sync::all ? Kind::sync : Kind::sync_data, descriptor, nullptr, 0, 0};
}

enum class Engine : std::uint8_t {
  automatic, ///< the environment's RT_AIO, io_uring or threads; else io_uring if it works, else threads
  io_uring,
  threads, ///< a few threads that make ordinary calls
};

struct Options {
  Engine engine = Engine::automatic;
  unsigned entries = 64; ///< of io_uring's ring: more operations than that wait until there is room
  unsigned threads = 4;  ///< of the other engine

  /// Sent after each completion, to the process; until the Context has ended one may still come.
  std::optional<kernel::Signal> signal = {};
};

class Context {
 public:
  /// invalid_argument: RT_AIO is something else, or there are to be no threads or entries; what io_uring or threads
  /// fail with.
  [[nodiscard]] static Result<Context> open(const Options& options = {});
  Context(Context&& other) noexcept;
  Context& operator=(Context&&) = delete;
  /// Cancels what has not completed, and waits for it.
  ~Context();

  /// Hands all of them to the kernel or to the threads, together. already_started: one of them has not completed since
  /// it was submitted last, or is still to be taken from another Context; then none is.
  template <std::same_as<Operation>... O> Result<void> submit(O&... operations) {
    Operation* const all[] = {&operations...};
    return submit(std::span(all));
  }
  Result<void> submit(std::span<Operation* const> operations);

  /// Takes the operation that has completed first of those that nobody has taken, waiting for it: those without
  /// callbacks. empty: none is left; canceled; timed_out by a Timeout.
  [[nodiscard]] Result<Operation*> next() { return next_until(Deadline{}); }
  /// The same for a limited time. timed_out.
  template <class Rep, class Period>
  [[nodiscard]] Result<Operation*> next_for(std::chrono::duration<Rep, Period> timeout) {
    return next_until(Deadline::after(timeout));
  }

  /// Blocks until all have completed and their callbacks have returned; no callback may call it. canceled; timed_out by
  /// a Timeout.
  Result<void> run();

  /// Looks for completions and calls their callbacks, without waiting. Returns how many operations have not completed.
  std::size_t look();

  /// A descriptor that is ready to read when a look() is worth it.
  int number() const;

  /// "io_uring" or "threads".
  std::string_view engine() const;

 private:
  explicit Context(std::unique_ptr<Shared> shared);
  Result<Operation*> next_until(Deadline deadline);

  std::unique_ptr<Shared> shared_;
};

} // namespace rt::aio
