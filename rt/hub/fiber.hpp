#pragma once
// Fiber: a function that runs side by side with others in its thread, and stops where it blocks (gevent's Greenlet).
//
//   auto length = rt::spawn([](std::string text) { rt::sleep_for(1s); return text.size(); }, "four");
//   std::size_t n = length.join();
//
// Whatever blocks a thread blocks only the fiber when it is called in one: locks, queues, sleep_for, Thread::join. What
// it needs is on its stack:
//
//   [guard][ ... frames][Call: function, arguments, result][Task]
//
// A fiber's `ending` is a word that its end and its handle agree by:
//
//   0            runs                                        left by  its end: to `ended`;  join: to the joiner's
//   Waiter;
//                                                                     the handle's end: to `dropped`
//   a Waiter     runs, and somebody waits for its end        its end: to `ended`, and unparks;  a join_for whose time
//   is
//                                                            over: to 0
//   ended        the result is there                         the handle, when it gives the flow back
//   dropped      runs, and nobody wants to know              its end gives the flow back
//
// Each leaves by one atomic exchange or compare-exchange, so the flow is given back once, by the later of both.

#include <rt/base/panic.hpp>
#include <rt/base/result.hpp>
#include <rt/hub/hub.hpp>

#include <concepts>
#include <new>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rt {

/// As long as it takes.
inline constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();

struct FiberOptions {
  std::string_view name = {}; ///< for reports; cut to 31 bytes
  std::size_t stack_size = 0; ///< bytes; 0: 48 KiB. Memory is used only as far as the stack grows.
};

namespace hub {

inline constexpr std::uintptr_t ended = 1, dropped = 2;

struct CallOperations {
  std::size_t size;
  std::size_t alignment;
  void (*run)(Flow& flow);
  void (*destroy)(Flow& flow);
};

/// A flow whose `call` points to where the call is to be made; fiber.cpp.
Result<Flow*> prepare(const FiberOptions& options, const CallOperations& operations);
/// Puts it among the ready ones.
void launch(Flow& flow);
/// Blocks until it has ended; timed_out, canceled: it has not.
Result<void> wait_until_ended(Flow& flow, Deadline deadline);
/// What the handle does in its end.
void drop(Flow& flow);
void cancel(Flow& flow);

template <class R, class F, class... A> struct Call {
  union {
    std::tuple<F, A...> todo; // until it has run
    R result;
  };

  explicit Call(std::tuple<F, A...>&& all) : todo(std::move(all)) {}
  ~Call() {}

  static void run(Flow& flow) {
    auto& self = *static_cast<Call*>(flow.call);
    // The result takes the place of what it was made from.
    alignas(R) std::byte kept[sizeof(R)];
    R* const result =
        ::new (kept) R(std::apply([](F& f, A&... a) -> R { return std::move(f)(std::move(a)...); }, self.todo));
    self.todo.~tuple();
    ::new (&self.result) R(std::move(*result));
    result->~R();
  }
  static void destroy(Flow& flow) { static_cast<Call*>(flow.call)->result.~R(); }
};

template <class F, class... A> struct Call<void, F, A...> {
  std::tuple<F, A...> todo;

  static void run(Flow& flow) {
    auto& self = *static_cast<Call*>(flow.call);
    std::apply([](F& f, A&... a) { std::move(f)(std::move(a)...); }, self.todo);
    self.todo.~tuple();
  }
};

} // namespace hub

/// The handle of a fiber. It may be used by any thread, but by one at a time. The fiber goes on when it is dropped.
template <class R> class Fiber {
 public:
  Fiber() = default;
  explicit Fiber(hub::Flow* flow) : flow_(flow) {}
  Fiber(Fiber&& other) noexcept : flow_(std::exchange(other.flow_, nullptr)) {}
  Fiber& operator=(Fiber&& other) noexcept {
    std::swap(flow_, other.flow_);
    return *this;
  }
  ~Fiber() {
    if (flow_) hub::drop(*flow_);
  }

  /// Blocks until the fiber has ended, and returns what its function returned. Panics if that was taken already.
  R join() {
    (void)hub::wait_until_ended(flow(), Deadline::no_matter_what());
    return take();
  }

  /// The same for a limited time, `forever` at most. timed_out; canceled, if the calling fiber is.
  template <class Rep, class Period> [[nodiscard]] Result<R> join_for(std::chrono::duration<Rep, Period> timeout) {
    const Result<void> waited = wait_until(Deadline::after(timeout));
    if (!waited) return waited.error();
    if constexpr (std::is_void_v<R>)
      return take(), Result<void>{};
    else
      return take();
  }

  /// The same until a moment, but the result stays to be taken by join().
  [[nodiscard]] Result<void> wait_until(Deadline deadline) { return hub::wait_until_ended(flow(), deadline); }

  /// Lets every wait of the fiber from now on, and the one that it is in, fail with `canceled`, so that its function
  /// can return. Only calls that return a Result are waits in that sense: a lock(), say, goes on waiting, as its caller
  /// could not be told.
  void cancel() { hub::cancel(flow()); }

  /// The function has returned.
  bool done() const { return flow().ending.load(std::memory_order_acquire) == hub::ended; }

  /// There is a fiber, and its result has not been taken.
  bool joinable() const { return flow_ != nullptr; }

  TaskId id() const { return flow().id; }
  /// Empty if it was given none.
  std::string_view name() const { return flow().task->name.data(); }

 private:
  hub::Flow& flow() const {
    if (!flow_) [[unlikely]]
      panic("a Fiber is used that has been joined already, or was never spawned");
    return *flow_;
  }

  R take() {
    hub::Flow& ended = *std::exchange(flow_, nullptr);
    if constexpr (std::is_void_v<R>) {
      hub::drop(ended);
    } else {
      R result(std::move(*static_cast<R*>(ended.call))); // a union's members lie at its beginning
      hub::drop(ended);
      return result;
    }
  }

  hub::Flow* flow_ = nullptr;
};

/// Runs function(arguments...), on copies of both, in a new fiber of the calling thread. It begins when the calling
/// flow blocks or yields. not_enough_memory, too_many_mappings.
template <class F, class... A>
requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
auto try_spawn(const FiberOptions& options, F&& function, A&&... arguments)
    -> Result<Fiber<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>>> {
  using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
  using Call = hub::Call<R, std::decay_t<F>, std::decay_t<A>...>;
  hub::CallOperations operations{sizeof(Call), alignof(Call), Call::run, nullptr};
  if constexpr (!std::is_void_v<R> && !std::is_trivially_destructible_v<R>) operations.destroy = Call::destroy;
  const Result<hub::Flow*> flow = hub::prepare(options, operations);
  if (!flow) return flow.error();
  ::new (flow.value()->call) Call{{std::forward<F>(function), std::forward<A>(arguments)...}};
  hub::launch(*flow.value());
  return Fiber<R>(flow.value());
}

/// The same; panics when there is no memory for another fiber.
template <class F, class... A>
requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
auto spawn(const FiberOptions& options, F&& function, A&&... arguments) {
  return try_spawn(options, std::forward<F>(function), std::forward<A>(arguments)...).value();
}
template <class F, class... A>
requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
auto spawn(F&& function, A&&... arguments) {
  return try_spawn(FiberOptions{}, std::forward<F>(function), std::forward<A>(arguments)...).value();
}

/// Blocks until all the fibers have ended (gevent.joinall); their results stay to be taken. timed_out, canceled.
template <class Range> Result<void> joinall(Range&& fibers, std::chrono::nanoseconds timeout = forever) {
  const Deadline deadline = Deadline::after(timeout);
  for (auto& fiber : fibers)
    if (fiber.joinable())
      if (const Result<void> waited = fiber.wait_until(deadline); !waited) return waited;
  return {};
}

} // namespace rt
