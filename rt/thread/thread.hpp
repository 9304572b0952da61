#pragma once
// Thread: a flow of control that the kernel schedules (Python's threading.Thread, on clone(2)).
//
// Two forms, as in Python: a callable with its arguments, or a subclass that overrides run().
//
//   rt::Thread thread([](int n) { rt::println("{}", n); }, 42);
//   thread.start();
//   thread.join();
//
// The callable and its arguments are copied or moved to the top of the new thread's stack when the Thread is made, so
// starting one allocates nothing else.

#include <rt/base/result.hpp>
#include <rt/base/task.hpp>
#include <rt/kernel/clock.hpp>

#include <concepts>
#include <new>
#include <string_view>
#include <tuple>
#include <utility>

namespace rt {

struct ThreadOptions {
  /// "Thread-1", "Thread-2", ... if empty. The kernel shows the first 15 bytes of a name that is given (in /proc); a
  /// thread without one it shows with the name of its maker, since telling it costs 3 % of a start and join.
  std::string_view name = {};
  bool daemon = false;        ///< The process does not wait for a daemon thread when it ends.
  std::size_t stack_size = 0; ///< Bytes; 0: 256 KiB. Memory is used only as far as the stack grows.
};

namespace threading {

struct ThreadBlock;
void thread_main(ThreadBlock& block);

/// What a block keeps to run and to destroy its callable.
struct Callable {
  void (*run)(void* object);
  void (*destroy)(void* object);
  std::size_t size;
  std::size_t alignment;
};

template <class F, class... A> struct Call {
  F function;
  std::tuple<A...> arguments;

  static void run(void* object) {
    auto& self = *static_cast<Call*>(object);
    std::apply([&](A&... each) { (void)std::move(self.function)(std::move(each)...); }, self.arguments);
  }
  static void destroy(void* object) { static_cast<Call*>(object)->~Call(); }
};

template <class Call> Callable callable() { return {Call::run, Call::destroy, sizeof(Call), alignof(Call)}; }

} // namespace threading

class Thread {
 public:
  /// A thread that will call function(arguments...), on copies of both.
  template <class F, class... A>
  requires(!std::derived_from<std::remove_cvref_t<F>, Thread> && !std::same_as<std::remove_cvref_t<F>, ThreadOptions> &&
           std::invocable<std::decay_t<F>, std::decay_t<A>...>) explicit Thread(F&& function, A&&... arguments)
      : Thread(ThreadOptions{}, std::forward<F>(function), std::forward<A>(arguments)...) {}

  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...> Thread(const ThreadOptions& options, F&& function,
                                                                      A&&... arguments)
      : Thread(threading::callable<threading::Call<std::decay_t<F>, std::decay_t<A>...>>(), options) {
    using Call = threading::Call<std::decay_t<F>, std::decay_t<A>...>;
    if (void* place = callable_place()) ::new (place) Call{std::forward<F>(function), {std::forward<A>(arguments)...}};
  }

  /// Joins, unless the thread is a daemon: that one goes on by itself. Where run() of a subclass uses members of the
  /// subclass, join before they are gone: at the latest in the subclass's destructor.
  virtual ~Thread();

  // The virtual destructor names operator delete, and that the heap. So that only programs which make threads with new
  // carry it, the way back to the heap is stored by the new that needs it.
  [[gnu::noinline]] static void* operator new(std::size_t size) { return remember_heap(), ::operator new(size); }
  [[gnu::noinline]] static void* operator new(std::size_t size, std::align_val_t alignment) {
    return remember_heap(), ::operator new(size, alignment);
  }
  static void* operator new(std::size_t, void* place) { return place; }
  static void operator delete(void* object) { return_to_heap_(object); }

  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&&) = delete;

  /// Starts the thread. already_started; not_enough_memory; would_block when the limit on processes is reached.
  Result<void> start();

  /// Blocks until the thread has ended. Returns at once if it was never started. Panics when a thread joins itself.
  void join() { (void)join_until(Deadline::no_matter_what()); }

  /// The same for a limited time. timed_out; canceled, in a fiber.
  template <class Rep, class Period> [[nodiscard]] Result<void> join_for(std::chrono::duration<Rep, Period> timeout) {
    return join_until(Deadline::after(timeout));
  }

  /// Started and not ended.
  bool is_alive() const;
  /// Cut to 31 bytes.
  std::string_view name() const { return name_.data(); }
  /// The kernel's thread id; 0 before start().
  std::uint32_t id() const { return id_.load(std::memory_order_relaxed); }
  bool daemon() const { return daemon_; }

 protected:
  Thread() : Thread(ThreadOptions{}) {}
  explicit Thread(const ThreadOptions& options);

  /// What the thread does, in a subclass.
  virtual void run();

 private:
  friend void threading::thread_main(threading::ThreadBlock&);

  static void remember_heap() {
    return_to_heap_ = [](void* object) { ::operator delete(object); };
  }
  static void (*return_to_heap_)(void* object);

  Thread(const threading::Callable& callable, const ThreadOptions& options);
  /// Where the callable is to be made; nullptr if there was no memory.
  void* callable_place() const;

  static void (*final_run(Thread& thread))(void*);
  static Errc await_end(Atomic<std::uint32_t>& word, Deadline deadline);
  Result<void> join_until(Deadline deadline);

  static constexpr unsigned given_back = ~0u;

  Atomic<threading::ThreadBlock*> block_ = nullptr;
  /// Tasks in join_until, or given_back: the thread has ended and has no block any more.
  Atomic<unsigned> joining_ = 0;
  Atomic<std::uint32_t> id_ = 0;
  bool started_ = false;
  bool daemon_ = false;
  TaskName name_ = {};
};

} // namespace rt
