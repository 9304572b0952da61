#pragma once
// What a Context (aio.hpp) consists of: the lists of its operations, and a Backend that carries them out.
//
// An operation is
//
//   idle        in no list                                     left by  submit: to `running`
//   submitted   in `running`; the Backend has it               the Backend, in look(): to `to_call` or `completed`
//   done        in `to_call`, `completed`, or taken from       its callback, wait() or next(): to no list;
//               them: in no list                               submit: to `running`
//
// All of that is protected by one lock, which is not held while somebody sleeps or a callback runs.
//
// Of those who wait, one sleeps on the event, an eventfd that counts completions. The others sleep on a word that
// changes when he has looked: each of them then looks whether what he waits for is there, and the first whose wait goes
// on is the next to sleep on the event. No completion is missed: the event is reset before the Backend is looked at, so
// what completes later makes it ready again.

#include <rt/io/aio.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/wait.hpp>

#include <mutex>

namespace rt::aio {

/// A FIFO of operations.
class List {
 public:
  bool empty() const { return first_ == nullptr; }
  Operation* first() const { return first_; }
  static Operation* after(const Operation& operation) { return operation.next_; }
  std::size_t size() const { return size_; }

  void add(Operation& operation);
  void remove(Operation& operation);

 private:
  Operation* first_ = nullptr;
  Operation* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Carries operations out. Called with the Context's lock held.
class Backend {
 public:
  explicit Backend(Shared& shared) : shared_(shared) {}
  Backend(const Backend&) = delete;
  virtual ~Backend() = default;

  virtual std::string_view name() const = 0;
  /// Takes an operation; flush() is called after the last of several.
  virtual void begin(Operation& operation) = 0;
  virtual void flush() = 0;
  /// Has it complete with `canceled` if that is still possible.
  virtual void cancel(Operation& operation) = 0;
  /// Calls Shared::complete for all that have completed.
  virtual void look() = 0;

 protected:
  Shared& shared_;
};

/// function_not_supported and the like: the kernel does not allow it, or it does not work.
Result<std::unique_ptr<Backend>> make_uring_backend(Shared& shared, unsigned entries);
Result<std::unique_ptr<Backend>> make_thread_backend(Shared& shared, unsigned threads);

struct Shared {
  using Guard = std::unique_lock<Lock>;

  Result<void> open(const Options& options);
  Result<void> submit(std::span<Operation* const> operations);
  /// For the Backend: it has completed.
  void complete(Operation& operation, long result);
  /// Out of its list, and of the Context.
  void take(Operation& operation);

  /// Takes what has completed from the Backend.
  void look();
  /// Makes the event ready, and with it who sleeps there look.
  void notify() const;
  void reset_event() const;

  template <class Done> Result<void> wait_until(Guard& guard, Done done, Deadline deadline);
  void call_back(Guard& guard);
  void cancel_and_wait(Guard& guard, Operation& operation);

  Lock lock;
  List running, to_call, completed;
  unsigned calling = 0;        // callbacks that have not returned
  bool somebody_waits = false; // on the event
  Word looks = 0;              // what the others wait on
  Fd event;
  Fd signal_in, signal_out; // a pipe: what is written to it has the kernel send the signal
  std::unique_ptr<Backend> backend;

 private:
  Result<void> open_backend(const Options& options);
  Result<void> wait_for_event(Deadline deadline) const;
  void tell_others();
};

} // namespace rt::aio
