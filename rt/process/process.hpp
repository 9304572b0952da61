#pragma once
// Process: a function that runs in a copy of this process (Python's multiprocessing.Process, started by "fork").
//
// Two forms, as in Python: a callable with its arguments, or a subclass that overrides run().
//
//   rt::Process process([](int n) { rt::println("{}", n); }, 42);
//   process.start().value();
//   process.join();
//
// The child has a copy of all memory, and one task: the function, in a thread that was the one that called start().
// The parent's other threads, its fibers and their timers are not there, and the child's first fiber makes it a hub of
// its own. The heap and all else of the runtime works; but a Thread or a Fiber of the parent's is not to be used. A
// Lock of the program's that another task held at that moment stays locked in the child. What was made before is not
// destroyed at the child's end: that is the parent's to do.
//
// A child is waited for by its own descriptor (pidfd_open(2)), which threads, fibers and selectors can wait for. No
// handler for SIGCHLD is needed, and none of the program's is called: the kernel sends no signal at the child's end,
// and gives its status to nobody who waits for any child (wait(2) without __WALL or __WCLONE), so neither takes
// anything from the other.

#include <rt/base/result.hpp>
#include <rt/base/task.hpp>
#include <rt/io/fd.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/process/arguments.hpp>
#include <rt/process/options.hpp>

#include <concepts>
#include <initializer_list>
#include <new>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace rt {

namespace processing {

struct Child;

/// What is known of a callable whose type is not.
struct Callable {
  int (*run)(void* object);
  void (*destroy)(void* object);
  std::size_t size;
  std::size_t alignment;
};

template <class F, class... A> struct Call {
  F function;
  std::tuple<A...> arguments;

  static int run(void* object) {
    auto& self = *static_cast<Call*>(object);
    const auto call = [&](A&... each) -> decltype(auto) { return std::move(self.function)(std::move(each)...); };
    if constexpr (std::same_as<std::invoke_result_t<F, A...>, int>) return std::apply(call, self.arguments);
    std::apply([&](A&... each) { (void)call(each...); }, self.arguments);
    return 0;
  }
  static void destroy(void* object) { static_cast<Call*>(object)->~Call(); }
};

template <class Call> Callable callable() { return {Call::run, Call::destroy, sizeof(Call), alignof(Call)}; }

} // namespace processing

class Process {
 public:
  /// A process that will call function(arguments...), on copies of both. An int that it returns is the exit code.
  template <class F, class... A>
  requires(!std::derived_from<std::remove_cvref_t<F>, Process> &&
           !std::same_as<std::remove_cvref_t<F>, ProcessOptions> &&
           std::invocable<std::decay_t<F>, std::decay_t<A>...>) explicit Process(F&& function, A&&... arguments)
      : Process(ProcessOptions{}, std::forward<F>(function), std::forward<A>(arguments)...) {}

  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...> Process(const ProcessOptions& options, F&& function,
                                                                       A&&... arguments)
      : Process(processing::callable<processing::Call<std::decay_t<F>, std::decay_t<A>...>>(), options) {
    using Call = processing::Call<std::decay_t<F>, std::decay_t<A>...>;
    if (void* place = callable_place()) ::new (place) Call{std::forward<F>(function), {std::forward<A>(arguments)...}};
  }

  /// Joins, unless the process is a daemon: that one goes on by itself.
  virtual ~Process();

  /// Not of a subclass's object, whose run() would not find it.
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  /// Starts the process, and returns when its options have taken effect. already_started; not_enough_memory;
  /// would_block when the limit on processes is reached; too_many_files_open; and what the system calls say that the
  /// options ask for: operation_not_permitted, permission_denied, invalid_argument, no_such_file_or_directory... In
  /// case of an error there is no process, and start() may be called again.
  Result<void> start();

  /// A process that executes another program, started: posix_spawn(3). It costs the same however much memory this one
  /// has, since nothing of that is copied.
  ///
  ///   rt::Process process = rt::Process::exec("sort", {"sort", "-n"}, {.input = rt::Stream::pipe()}).value();
  ///
  /// A path without a slash is looked for in the directories of PATH, in the environment that the program gets. argv is
  /// any range of texts; the first is what the program takes for its name. What it inherits is what execve(2) lets
  /// through: ignored signals stay ignored and blocked ones blocked, handlers are gone, descriptors as ProcessOptions
  /// says. To the kernel it is a child as any other, so SIGCHLD comes at its end, and code that waits for any child may
  /// take its status, which then is not known here.
  ///
  /// Errors are those of start(), and of execve(2): no_such_file_or_directory, permission_denied,
  /// executable_format_error, argument_list_too_long...
  template <class Texts>
  static Result<Process> exec(std::string_view path, const Texts& argv, const ProcessOptions& options = {}) {
    processing::Arguments arguments(path);
    for (const auto& text : argv) arguments.count(text);
    arguments.make_room();
    for (const auto& text : argv) arguments.add(text);
    return execute(arguments, options);
  }
  static Result<Process> exec(std::string_view path, std::initializer_list<std::string_view> argv,
                              const ProcessOptions& options = {}) {
    return exec<std::initializer_list<std::string_view>>(path, argv, options);
  }

  /// Blocks until the process has ended. Returns at once if it was never started. Panics in a process that is not its
  /// parent.
  void join();

  /// The same for a limited time. timed_out; canceled, in a fiber; too_many_files_open. no_child_process: this is not
  /// its parent.
  template <class Rep, class Period> [[nodiscard]] Result<void> join_for(std::chrono::duration<Rep, Period> timeout) {
    return join_until(Deadline::after(timeout));
  }

  /// Started and not ended.
  bool is_alive() const;

  /// What it has ended with: 0 to 255, or -n if signal n has killed it. None if it has not been started or not ended,
  /// or if nobody knows: somebody else has taken its status, or this is not its parent.
  std::optional<int> exit_code() const;

  /// Sends SIGTERM, which ends the process unless it handles that. Nothing is destroyed there. No error if it has ended
  /// already; no_such_process if it was not started.
  Result<void> terminate() { return send(kernel::Signal::sigterm); }
  /// The same with SIGKILL, which cannot be handled.
  Result<void> kill() { return send(kernel::Signal::sigkill); }
  Result<void> send(kernel::Signal signal);

  std::string_view name() const;
  /// As the parent sees it; 0 before start().
  kernel::ProcessId pid() const;
  /// A descriptor that is ready to be read from the process's end on, for wait_until_ready and selectors. The Process
  /// owns it, and opens it when it is wanted for the first time; -1 before start(), and if there are too many.
  int pidfd() const;
  bool daemon() const;

  /// The parent's ends of the pipes that were asked for: where it writes the child's standard input, and reads its
  /// standard output and error. They are closed with the Process, unless they are moved out of it.
  Fd& input() { return stream(0); }
  Fd& output() { return stream(1); }
  Fd& error() { return stream(2); }

 protected:
  Process() : Process(ProcessOptions{}) {}
  explicit Process(const ProcessOptions& options);

  /// What the process does, in a subclass. It runs in the child, on the child's copy of the object.
  virtual void run();

 private:
  friend struct processing::Child;

  Process(const processing::Callable& callable, const ProcessOptions& options);
  explicit Process(processing::Child* child) : child_(child) {}
  static Result<Process> execute(const processing::Arguments& arguments, const ProcessOptions& options);
  Fd& stream(int number);
  /// Where the callable is to be made; nullptr if there was no memory.
  void* callable_place() const;
  Result<void> join_until(Deadline deadline);

  processing::Child* child_;
};

} // namespace rt
