#pragma once
// Child: what a process knows of one that it starts. It is made with its Process, and stays until both the Process is
// gone and the child has ended, so that the parent's exit finds all of its children.
//
//   state     left by
//   fresh     start, when the child exists: to running
//   running   whoever sees that it has ended and takes its status: to ended;  start, when its options could not take
//             effect: to fresh;  another child, which has inherited the record but is not the parent: to foreign
//   ended
//   foreign
//
// The list, and all that changes in a Child after its start, is protected by one lock, which is held for the whole of a
// start: a child that is started finds it in a known state. Nobody waits for a child's end with the lock held: all who
// wait leave the status where it is, and the last one takes it. In a process that never had a second thread
// (single_threaded.hpp) nobody else could change anything meanwhile: the lock is given back for the copy, and who waits
// takes the status at once.
//
// A descriptor is opened when somebody wants one (it costs a tenth of a start and join): until the status has been
// taken, the id means the process as well. A program that is executed has one from the beginning, since others than
// this runtime may take its status.

#include <rt/base/futex_lock.hpp>
#include <rt/base/task.hpp>
#include <rt/io/fd.hpp>
#include <rt/kernel/pidfd.hpp>
#include <rt/process/process.hpp>

namespace rt::processing {

enum class State : std::uint8_t { fresh, running, ended, foreign };

struct Child {
  Callable callable = {};
  void* object = nullptr; ///< the callable, behind this; nullptr: it is a subclass's, or another program
  ProcessOptions options;
  TaskName name = {};
  TaskName identity = {}; ///< "1:2": the second child of the first one
  bool dropped = false;   ///< its Process is gone
  bool subclass = false;
  State state = State::fresh;
  std::optional<int> exit_code;
  kernel::DescribedProcess process;
  unsigned waiting = 0; ///< threads that wait by its id, for which the status has to stay where it is
  bool taken = false;   ///< its status
  Fd streams[3];        ///< the parent's ends of pipes to standard input, output and error
  Fd life;              ///< closed when this process ends, which ends the child; see setup.cpp
  Child* next = nullptr;
  Child* previous = nullptr;

  /// nullptr: no memory.
  static Child* make(const Callable& callable, const ProcessOptions& options);
  bool named() const { return !options.name.empty(); } ///< by the program
  /// Not while it is in the list. The lock is not held: this calls what the program has written.
  void destroy();

  /// What the child does. Returns its exit code.
  int run(Process& self);

  /// Takes the status if the child has ended.
  State current_state();
  /// Blocks until it has ended. timed_out, canceled; no_child_process.
  Result<void> wait(Deadline deadline);
  Result<void> send(kernel::Signal signal);
  /// It has failed before it has run: takes its status, and makes it fresh.
  void begin_anew();
  /// What ~Process does with one that was started.
  void drop();

  /// Frees those that were dropped and have ended.
  static void collect_dropped();

  // With the family's lock held.
  void give_name();
  void enlist();
  void delist();
  /// The same; true: it has ended.
  bool look();
  /// Its status, or what stands for one that somebody else has taken.
  void end(const Result<kernel::ChildChange>& change);
  void begin_running(const kernel::DescribedProcess& started);
  void close_descriptor();
  /// The number; -1: there could be none.
  int describe();
  /// In a child: of the records that it has inherited none is its own.
  static void disown_all();
};

/// What a process knows of itself and of those that it has started. Each start writes to it, so it lies in the
/// thread-local block of the main thread, in the page of the stack that a start writes to anyway: to copy another page
/// would take 4 % of a start and join.
struct Family {
  FutexLock lock;
  Child* first = nullptr;     ///< of those that were started, the latest
  TaskName identity = {};     ///< of this process, if it is a Process; else empty
  unsigned children_made = 0; ///< so far; their names tell it
  bool place_is_taken = false;
  /// Of one record: a program that starts one process after the other needs no block of the heap.
  alignas(16) std::byte place[640] = {};
};
extern constinit Family* family;

/// Starts the process in which `process` is to run.
Result<void> start(Child& child, Process& process);
/// Starts the process that executes a program. argv ends with nullptr.
Result<void> execute(Child& child, const char* path, const char* const* argv);

} // namespace rt::processing
