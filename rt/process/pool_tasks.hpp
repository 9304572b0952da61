#pragma once
// What a pool's jobs do with types: call functions in workers, bring back what they return, tell callbacks.

#include <rt/process/pool_core.hpp>

#include <optional>
#include <ranges>

namespace rt {
namespace pooling {

// --- Functions and what they return ---

template <class F, class... A>
concept Task = std::invocable<F&, A...>;

/// What the function returns, as it travels.
template <class F, class... A> using ReturnOf = std::decay_t<std::invoke_result_t<F&, A...>>;

template <class R> struct Flat { using Value = R; };
template <class T> struct Flat<Result<T>> { using Value = T; };
/// The same without the Result, if it is one.
template <class F, class... A> using ValueOf = typename Flat<ReturnOf<F, A...>>::Value;

/// The next answer of a message.
template <class R> Result<typename Flat<R>::Value> read_answer(Incoming& from) {
  if constexpr (std::is_void_v<R>)
    return {};
  else
    return Codec<R>::read(from);
}

/// In a worker: one call.
template <class F, class... A> Errc run_call(Incoming message, Outgoing& answer) {
  using R = ReturnOf<F, A...>;
  F function = Codec<F>::read(message);
  std::tuple<A...> arguments{Codec<A>::read(message)...};
  const auto call = [&](A&... each) -> R { return function(std::move(each)...); };
  if constexpr (std::is_void_v<R>) {
    std::apply(call, arguments);
    return Errc::none;
  } else {
    return write_message<R>(answer, std::apply(call, arguments));
  }
}

/// How a function is called with an item: as its argument, or (starmap) with the members as arguments.
template <class F, bool star> struct CallWith {
  template <class Item> static decltype(auto) call(F& function, Item&& item) {
    if constexpr (star)
      return std::apply(function, std::forward<Item>(item));
    else
      return function(std::forward<Item>(item));
  }
};
template <class F, class Item, bool star>
using ItemReturn = std::decay_t<decltype(CallWith<F, star>::call(std::declval<F&>(), std::declval<Item>()))>;

/// In a worker: a function for several items.
template <class F, class Item, bool star> Errc run_chunk(Incoming message, Outgoing& answer) {
  using R = ItemReturn<F, Item, star>;
  const auto count = Codec<std::uint32_t>::read(message);
  F function = Codec<F>::read(message);
  const auto call_next = [&]() -> R { return CallWith<F, star>::call(function, Codec<Item>::read(message)); };
  if constexpr (std::is_void_v<R>) {
    for (std::uint32_t i = 0; i < count; ++i) call_next();
    return Errc::none;
  } else {
    if (count == 1) return write_message<R>(answer, call_next());
    std::vector<R> results;
    results.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) results.push_back(call_next());
    Size size;
    for (const R& each : results) Codec<R>::measure(each, size);
    std::byte* to;
    if (const Errc error = begin_message(answer, size, to); error != Errc::none) return error;
    for (const R& each : results) to = Codec<R>::write(to, each);
    return Errc::none;
  }
}

// --- Callbacks ---

/// How many of the arguments, from the first, are the function's own: all but up to two, which are callbacks.
template <class F, class All, std::size_t n> struct ArgumentsTaken {
  template <std::size_t... i> static constexpr bool takes(std::index_sequence<i...>) {
    return Task<F, Sent<std::tuple_element_t<i, All>>...>;
  }
  static constexpr std::size_t find() {
    if constexpr (takes(std::make_index_sequence<n>()))
      return n;
    else if constexpr (n > 0 && n + 2 > std::tuple_size_v<All>)
      return ArgumentsTaken<F, All, n - 1>::find();
    else
      return no_number;
  }
  static constexpr std::size_t no_number = ~std::size_t{0};
};

template <std::size_t i, class All> auto callback_at([[maybe_unused]] All& all) {
  if constexpr (i < std::tuple_size_v<All>)
    return std::get<i>(all);
  else
    return nullptr;
}

template <class Callback, class... A> void call_back([[maybe_unused]] Callback& callback, const A&... a) {
  if constexpr (!std::is_null_pointer_v<Callback>) callback(a...);
}

template <class T, class Callback, class ErrorCallback>
void call_back_with(const Result<T>& result, Callback& callback, ErrorCallback& error_callback) {
  if (!result)
    call_back(error_callback, result.error());
  else if constexpr (std::is_void_v<T>)
    call_back(callback);
  else
    call_back(callback, *result);
}

// --- Jobs ---

/// A job with one result.
template <class T> class Outcome : public Job {
 public:
  using Job::Job;
  /// When the job has ended.
  const Result<T>& result() const { return *result_; }

 protected:
  std::optional<Result<T>> result_;
};

template <class F, class Callback, class ErrorCallback, class... A>
class CallJob final : public Outcome<ValueOf<F, A...>> {
 public:
  CallJob(std::chrono::nanoseconds timeout, F&& function, Callback&& callback, ErrorCallback&& error_callback,
          A&&... arguments)
      : Outcome<ValueOf<F, A...>>(1), function_(std::move(function)), arguments_(std::move(arguments)...),
        callback_(std::move(callback)), error_callback_(std::move(error_callback)) {
    this->timeout_ = timeout;
  }

 private:
  Errc prepare(std::uint32_t, Slot& slot, Outgoing& out) override {
    slot.run = run_call<F, A...>;
    return write_message<F, std::tuple<A...>>(out, function_, arguments_);
  }
  void complete(std::uint32_t, Result<Incoming> answer) override {
    this->result_.emplace(answer ? read_answer<ReturnOf<F, A...>>(*answer) : answer.error());
  }
  void finish() override { call_back_with(*this->result_, callback_, error_callback_); }

  F function_;
  std::tuple<A...> arguments_;
  [[no_unique_address]] Callback callback_;
  [[no_unique_address]] ErrorCallback error_callback_;
};

/// All results of a map: the values in the order of the items, or the error of the first item that has one.
template <class T, class Callback, class ErrorCallback>
class MapOutcome : public Outcome<std::conditional_t<std::is_void_v<T>, void, std::vector<T>>> {
  using Base = Outcome<std::conditional_t<std::is_void_v<T>, void, std::vector<T>>>;

 public:
  MapOutcome(std::uint32_t tasks, std::size_t items, Callback&& callback, ErrorCallback&& error_callback)
      : Base(tasks), results_(items, Result<T>(Errc::worker_lost)), callback_(std::move(callback)),
        error_callback_(std::move(error_callback)) {}

 protected:
  void put(std::size_t item, Result<T>&& result) { results_[item] = std::move(result); }
  void put_all() {}

 private:
  void finish() override {
    this->result_.emplace(gather());
    results_ = {};
    call_back_with(*this->result_, callback_, error_callback_);
  }

  auto gather() -> std::remove_cvref_t<decltype(std::declval<Base>().result())> {
    for (const Result<T>& each : results_)
      if (!each) return each.error();
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      std::vector<T> values;
      values.reserve(results_.size());
      for (Result<T>& each : results_) values.push_back(std::move(*each));
      return values;
    }
  }

  std::vector<Result<T>> results_;
  [[no_unique_address]] Callback callback_;
  [[no_unique_address]] ErrorCallback error_callback_;
};

/// Results that are taken one by one, while others are still to come.
template <class T> class Stream : public Job {
 public:
  Stream(std::uint32_t tasks, std::size_t items, bool ordered) : Job(tasks), results_(items), ordered_(ordered) {
    if (!ordered) order_.reserve(items);
  }

  std::size_t size() const { return results_.size(); }
  /// Blocks until there are more than `taken`. timed_out, canceled.
  Result<void> wait_for_more(std::size_t taken, Deadline deadline) {
    return wait_until(deadline, [&] { return available_.load(std::memory_order_seq_cst) > taken; });
  }
  Result<T>& result(std::size_t number) { return *results_[ordered_ ? number : order_[number]]; }

 protected:
  void put(std::size_t item, Result<T>&& result) {
    results_[item].emplace(std::move(result));
    if (!ordered_) order_.push_back(item);
  }
  void put_all() {
    if (ordered_)
      while (complete_ < results_.size() && results_[complete_]) ++complete_;
    available_.store(ordered_ ? complete_ : order_.size(), std::memory_order_seq_cst);
    notify();
  }

 private:
  void finish() override {}

  std::vector<std::optional<Result<T>>> results_;
  std::vector<std::size_t> order_; // in which they came
  std::size_t complete_ = 0;       // so many from the first on are there
  Atomic<std::size_t> available_ = 0;
  const bool ordered_;
};

/// A function for each of many items, `chunk` of them in one task.
template <class Base, class F, class Item, bool star> class ChunksJob final : public Base {
 public:
  template <class... A>
  ChunksJob(F&& function, std::vector<Item>&& items, std::size_t chunk, A&&... a)
      : Base(static_cast<std::uint32_t>((items.size() + chunk - 1) / chunk), items.size(), std::forward<A>(a)...),
        function_(std::move(function)), items_(std::move(items)), chunk_(chunk) {}

 private:
  using R = ItemReturn<F, Item, star>;

  std::span<const Item> items_of(std::uint32_t task) const {
    const std::size_t begin = task * chunk_;
    return std::span(items_).subspan(begin, std::min(chunk_, items_.size() - begin));
  }

  Errc prepare(std::uint32_t task, Slot& slot, Outgoing& out) override {
    slot.run = run_chunk<F, Item, star>;
    const auto items = items_of(task);
    const auto count = static_cast<std::uint32_t>(items.size());
    Size size{sizeof count};
    Codec<F>::measure(function_, size);
    for (const Item& each : items) Codec<Item>::measure(each, size);
    std::byte* to;
    if (const Errc error = begin_message(out, size, to); error != Errc::none) return error;
    to = Codec<F>::write(Codec<std::uint32_t>::write(to, count), function_);
    for (const Item& each : items) to = Codec<Item>::write(to, each);
    return Errc::none;
  }
  void complete(std::uint32_t task, Result<Incoming> answer) override {
    const std::size_t begin = task * chunk_, count = items_of(task).size();
    for (std::size_t i = 0; i < count; ++i) this->put(begin + i, answer ? read_answer<R>(*answer) : answer.error());
    this->put_all();
  }

  F function_;
  std::vector<Item> items_;
  std::size_t chunk_;
};

} // namespace pooling

/// A result that is still to come: multiprocessing.pool's AsyncResult. It can be copied, outlive its pool, and be asked
/// again and again.
template <class T> class AsyncResult {
 public:
  explicit AsyncResult(Errc error) : error_(error) {}
  explicit AsyncResult(pooling::Outcome<T>* job) : job_(job) {}
  AsyncResult(const AsyncResult& other) : job_(other.job_), error_(other.error_) {
    if (job_) job_->add_user();
  }
  AsyncResult(AsyncResult&& other) noexcept : job_(std::exchange(other.job_, nullptr)), error_(other.error_) {}
  AsyncResult& operator=(AsyncResult other) noexcept {
    std::swap(job_, other.job_);
    error_ = other.error_;
    return *this;
  }
  ~AsyncResult() {
    if (job_) job_->drop();
  }

  /// Waits for the result. The task's error; closed; worker_lost; timed_out, canceled; deadlock: called in a callback.
  Result<T> get() const { return get_until({}); }
  /// The same for a limited time. timed_out: it is not there, and may still come.
  template <class Rep, class Period> [[nodiscard]] Result<T> get_for(std::chrono::duration<Rep, Period> timeout) const {
    return get_until(Deadline::after(timeout));
  }
  /// Waits until the task has ended, well or not. canceled, deadlock.
  Result<void> wait() const { return wait_until({}); }
  /// timed_out.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> wait_for(std::chrono::duration<Rep, Period> timeout) const {
    return wait_until(Deadline::after(timeout));
  }

  /// The task has ended, well or not.
  bool ready() const { return !job_ || job_->ended(); }
  /// It is ready, and has a value.
  bool successful() const { return job_ && job_->ended() && job_->result().ok(); }

  /// Has the task fail with `canceled`, unless it ends before. If it runs, its worker is killed and replaced. To be
  /// called while the pool exists.
  void cancel() {
    if (job_) job_->cancel();
  }

 private:
  Result<void> wait_until(Deadline deadline) const {
    if (!job_) return {};
    return job_->wait(deadline);
  }
  Result<T> get_until(Deadline deadline) const {
    if (!job_) return error_;
    if (const Result<void> waited = job_->wait(deadline); !waited) return waited.error();
    return job_->result();
  }

  pooling::Outcome<T>* job_ = nullptr;
  Errc error_ = Errc::none;
};

/// The results of imap and imap_unordered: multiprocessing.pool's IMapIterator. For one task at a time.
template <class T> class Results {
 public:
  explicit Results(Errc error) : error_(error) {}
  explicit Results(pooling::Stream<T>* job) : job_(job) {}
  Results(Results&& other) noexcept
      : job_(std::exchange(other.job_, nullptr)), error_(other.error_), taken_(other.taken_) {}
  Results& operator=(Results&&) = delete;
  ~Results() {
    if (job_) job_->drop();
  }

  /// Waits for the next result; none: that was the last. timed_out (by a Timeout), canceled, deadlock: it is still to
  /// come; closed and the like, once: the pool does not take any tasks.
  std::optional<Result<T>> next() { return next_until({}); }
  /// The same for a limited time. timed_out: it is still to come.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<Result<T>> next_for(std::chrono::duration<Rep, Period> timeout) {
    return next_until(Deadline::after(timeout));
  }

  /// Has what has not ended fail with `canceled`.
  void cancel() {
    if (job_) job_->cancel();
  }

  class Iterator {
   public:
    using value_type = Result<T>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Results& results) : results_(&results), current_(results.next()) {}
    Result<T>& operator*() const { return *current_; }
    Iterator& operator++() { return current_ = results_->next(), *this; }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return !iterator.current_; }

   private:
    Results* results_;
    mutable std::optional<Result<T>> current_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::optional<Result<T>> next_until(Deadline deadline) {
    if (!job_) {
      if (error_ == Errc::none) return {};
      return Result<T>(std::exchange(error_, Errc::none));
    }
    if (taken_ == job_->size()) return {};
    if (const Result<void> waited = job_->wait_for_more(taken_, deadline); !waited) return Result<T>(waited.error());
    return std::move(job_->result(taken_++));
  }

  pooling::Stream<T>* job_ = nullptr;
  Errc error_ = Errc::none;
  std::size_t taken_ = 0;
};

} // namespace rt
