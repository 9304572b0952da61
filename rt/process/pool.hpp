#pragma once
// Pool: worker processes that run functions for their parent (Python's multiprocessing.Pool).
//
//   rt::Pool pool(5);
//   auto sum = pool.apply([](int a, int b) { return a + b; }, 1, 2);               // 3, from another process
//   auto later = pool.apply_async(slow, 7, [](int result) { rt::println("{}", result); });
//   auto squares = pool.map([](int n) { return n * n; }, numbers);                  // Result<std::vector<int>>
//   for (auto& result : pool.imap_unordered(slow, numbers)) ...                     // as they come
//   pool.close();
//   pool.join().value();
//
// Workers are copies of the parent as it was when they were started: they see what was in memory then, and a lambda may
// refer to it. What goes to them and comes back is described in message.hpp; a function may return a Result, whose
// error is then the task's. Functions must not capture by reference.
//
// A worker that dies, however it does, fails only the task that it had, with Errc::worker_lost, and is replaced. When
// the parent dies, so do the workers. Whatever waits here blocks only the calling fiber in a thread that has fibers.
// Callbacks run in a thread of the pool in the parent, one at a time: they should be short, and must not wait for the
// pool (Errc::deadlock). A child, a worker too, can have pools of its own, but not use its parent's:
// Errc::operation_not_permitted.

#include <rt/hub/hub.hpp>
#include <rt/process/pool_tasks.hpp>

namespace rt {

struct TaskOptions {
  /// A task that runs for longer is ended by killing its worker, and fails with timed_out. 0: no limit.
  std::chrono::nanoseconds timeout = {};
};

class Pool {
 public:
  /// Starts the workers; 0: one for each CPU. If that fails, all calls return why.
  explicit Pool(unsigned workers = 0) : Pool(PoolOptions{.workers = workers}) {}
  explicit Pool(const PoolOptions& options) : core_(options) {}
  Pool(const Pool&) = delete;
  /// Terminates the pool (as leaving Python's `with`), unless it has been closed and joined.
  ~Pool() = default;

  unsigned workers() const { return core_.workers(); }

  /// Has function(arguments...) run in a worker and returns what that returns. closed; worker_lost; not_enough_memory;
  /// timed_out by a Timeout, canceled: the task goes on, for nobody; canceled: the pool was terminated.
  template <class F, class... A>
  requires pooling::Task<F, pooling::Sent<A>...>
  auto apply(F function, A&&... arguments) -> Result<pooling::ValueOf<F, pooling::Sent<A>...>> {
    if (!hub::running_flow || hub::running_flow->hub->fibers == 0) { // a thread can wait for the worker itself
      pooling::Core::Call call(core_);
      if (call.error() != Errc::none) return call.error();
      if (call) {
        pooling::Outgoing out = call.outgoing();
        call.slot().run = pooling::run_call<F, pooling::Sent<A>...>;
        const Errc written =
            pooling::write_message<F, pooling::Sent<A>...>(out, function, pooling::Sent<A>(arguments)...);
        if (written != Errc::none) return written;
        Result<pooling::Incoming> answer = call.run();
        if (!answer) return answer.error();
        return pooling::read_answer<pooling::ReturnOf<F, pooling::Sent<A>...>>(*answer);
      }
    }
    return apply_async(std::move(function), std::forward<A>(arguments)...).get();
  }

  /// The same without waiting. After the arguments there may be a callback, which gets the value, and after that
  /// another one, which gets the Error.
  template <class F, class... A> auto apply_async(F function, A&&... arguments) {
    return apply_async(TaskOptions{}, std::move(function), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  requires(!std::same_as<F, TaskOptions>) auto apply_async(const TaskOptions& options, F function, A&&... arguments) {
    constexpr std::size_t own = pooling::ArgumentsTaken<F, std::tuple<A...>, sizeof...(A)>::find();
    static_assert(own <= sizeof...(A), "the function cannot be called with these arguments");
    const auto all = std::forward_as_tuple(std::forward<A>(arguments)...);
    return start_call(options, function, all, std::make_index_sequence<own>());
  }

  /// function(item) for each item, in tasks of `chunk` items (0: four tasks for each worker), and all results in the
  /// order of the items. If some of them fail, the error is that of the first. The items are copied.
  template <class F, std::ranges::input_range Items> auto map(F function, Items&& items, std::size_t chunk = 0) {
    return map_async(std::move(function), std::forward<Items>(items), chunk).get();
  }
  template <class F, std::ranges::input_range Items, class Callback = std::nullptr_t,
            class ErrorCallback = std::nullptr_t>
  auto map_async(F function, Items&& items, std::size_t chunk = 0, Callback callback = {},
                 ErrorCallback error_callback = {}) {
    return start_map<false>(function, items, chunk, callback, error_callback);
  }

  /// The same with items that are tuples or pairs, whose members are the function's arguments.
  template <class F, std::ranges::input_range Items> auto starmap(F function, Items&& items, std::size_t chunk = 0) {
    return starmap_async(std::move(function), std::forward<Items>(items), chunk).get();
  }
  template <class F, std::ranges::input_range Items, class Callback = std::nullptr_t,
            class ErrorCallback = std::nullptr_t>
  auto starmap_async(F function, Items&& items, std::size_t chunk = 0, Callback callback = {},
                     ErrorCallback error_callback = {}) {
    return start_map<true>(function, items, chunk, callback, error_callback);
  }

  /// function(item) for each item, and each result as soon as it and all before it are there.
  template <class F, std::ranges::input_range Items> auto imap(F function, Items&& items, std::size_t chunk = 1) {
    return start_stream(function, items, chunk, true);
  }
  /// The same in the order in which they come.
  template <class F, std::ranges::input_range Items>
  auto imap_unordered(F function, Items&& items, std::size_t chunk = 1) {
    return start_stream(function, items, chunk, false);
  }

  /// No more tasks are taken; the workers end when all are done.
  void close() { core_.close(); }
  /// Ends the workers at once. What has not been done fails with `canceled`.
  void terminate() { core_.terminate(); }
  /// Waits until the workers have ended and all callbacks have returned. still_open: close() or terminate() has to come
  /// first; deadlock: called in a callback; timed_out, canceled.
  Result<void> join() { return core_.join({}); }
  template <class Rep, class Period> [[nodiscard]] Result<void> join_for(std::chrono::duration<Rep, Period> timeout) {
    return core_.join(Deadline::after(timeout));
  }

 private:
  template <class Items> using ItemOf = pooling::Sent<std::ranges::range_value_t<Items>>;

  template <class T> AsyncResult<T> start(pooling::Outcome<T>* job) {
    if (const Errc error = core_.submit(*job); error != Errc::none) {
      job->drop();
      return AsyncResult<T>(error);
    }
    return AsyncResult<T>(job);
  }

  template <class F, class All, std::size_t... own>
  auto start_call(const TaskOptions& options, F& function, const All& all, std::index_sequence<own...>) {
    auto callback = pooling::callback_at<sizeof...(own)>(all);
    auto error_callback = pooling::callback_at<sizeof...(own) + 1>(all);
    using Job = pooling::CallJob<F, decltype(callback), decltype(error_callback),
                                 pooling::Sent<std::tuple_element_t<own, All>>...>;
    using T = pooling::ValueOf<F, pooling::Sent<std::tuple_element_t<own, All>>...>;
    return start<T>(new Job(options.timeout, std::move(function), std::move(callback), std::move(error_callback),
                            pooling::Sent<std::tuple_element_t<own, All>>(std::get<own>(all))...));
  }

  template <class Items> static std::vector<ItemOf<Items>> copy(Items& items) {
    std::vector<ItemOf<Items>> copies;
    if constexpr (std::ranges::sized_range<Items>) copies.reserve(std::ranges::size(items));
    for (auto&& each : items) copies.emplace_back(each);
    return copies;
  }

  template <bool star, class F, class Items, class Callback, class ErrorCallback>
  auto start_map(F& function, Items& items, std::size_t chunk, Callback& callback, ErrorCallback& error_callback) {
    using T = typename pooling::Flat<pooling::ItemReturn<F, ItemOf<Items>, star>>::Value;
    using Base = pooling::MapOutcome<T, Callback, ErrorCallback>;
    using All = std::conditional_t<std::is_void_v<T>, void, std::vector<T>>;
    auto copies = copy(items);
    const std::size_t tasks = 4 * std::size_t{workers()};
    if (chunk == 0) chunk = std::max<std::size_t>((copies.size() + tasks - 1) / tasks, 1);
    return start<All>(new pooling::ChunksJob<Base, F, ItemOf<Items>, star>(
        std::move(function), std::move(copies), chunk, std::move(callback), std::move(error_callback)));
  }

  template <class F, class Items> auto start_stream(F& function, Items& items, std::size_t chunk, bool ordered) {
    using T = typename pooling::Flat<pooling::ItemReturn<F, ItemOf<Items>, false>>::Value;
    auto* const job = new pooling::ChunksJob<pooling::Stream<T>, F, ItemOf<Items>, false>(
        std::move(function), copy(items), std::max<std::size_t>(chunk, 1), ordered);
    if (const Errc error = core_.submit(*job); error != Errc::none) {
      job->drop();
      return Results<T>(error);
    }
    return Results<T>(job);
  }

  pooling::Core core_;
};

} // namespace rt
