#pragma once
// Generator: a function that hands out values one by one and goes on in between (Python's generators, PEP 255 and 342).
//
//   rt::Generator<int> numbers([](auto& yield) {
//     for (int i = 0; yield(i); ++i) {
//     }
//   });
//   numbers.next();                                    // 0, 1, 2, ... as std::optional; empty at the end
//   for (int n : numbers) ...
//
//   rt::Generator<int, std::string> lengths([](auto& yield) {
//     std::string text = yield(0);                     // what send() gives
//     for (;;) text = yield(int(text.size()));
//   });
//   lengths.next();                                    // to the first yield, as in Python
//   lengths.send("four");                              // 4
//
// The body runs on a stack of its own, so it may yield from any depth of calls, and block as any function does.
// Resuming it is a call, and yielding the matching return: about as fast as a coroutine that the compiler has taken
// apart.
//
//   the generator's stack    [guard][ ... frames of the body][State: contexts, body]
//
// When a Generator that has not come to its end is destroyed, its body is told so by what yield returns: it converts to
// false, once, and the body returns, so its local objects are destroyed. A body that does not look at it is left where
// it stands: then its local objects are not destroyed. (Python raises GeneratorExit there; nothing throws here.)

#include <rt/context/context.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace rt {

namespace generator {

/// What all generators have.
struct State {
  Context caller; // of what resumes it
  Context body;
  memory::Stack* stack;
  void (*destroy)(State*); // the function object

  /// Lets the body go on. `state` comes back unchanged, but in a register: who looks at it afterwards needs not wait
  /// for its own stack pointer, which comes from memory.
  [[gnu::always_inline]] static void* resume(State*& state, void* message) {
    Context *from = &state->caller, *to = &state->body;
    message = Context::call(from, to, message);
    state = reinterpret_cast<State*>(from);
    return message;
  }

  /// What a Generator has instead of a state while its body runs. Only that body, or what it calls, can come upon it: a
  /// Generator that nobody has a pointer to needs not even store it.
  static State* running() { return reinterpret_cast<State*>(alignof(State)); }

  /// The state whose `body` it is.
  static State& of(arch::Context& body) {
    return *reinterpret_cast<State*>(reinterpret_cast<char*>(&body) - offsetof(State, body));
  }
};

/// Stops the body for good, where it is told that nobody wants another value and does not look.
[[noreturn]] void abandon(Context& body);

/// A stack; panics when there is none.
memory::Stack* take_stack();
/// Where at the top of the stack an object fits.
inline void* place(const memory::Stack& stack, std::size_t size, std::size_t alignment) {
  return reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(stack.top) - size) & -std::uintptr_t{alignment});
}
/// Gets the body ready to run below the state.
void begin(State& state, arch::Entry* entry);
/// Tells the body, if it has begun, that nobody wants another value, and releases all.
void stop(State* state);
/// Of a body that has ended or will not go on.
void release(State* state);
[[noreturn, gnu::cold]] void panic_not_started();
[[noreturn, gnu::cold]] void panic_running();

/// What yield returns in a generator that nothing is sent to: whether to go on.
class Wanted {
 public:
  explicit Wanted(Context* stopping) : stopping_(stopping) {}
  Wanted(const Wanted&) = delete;
  ~Wanted() {
    if (stopping_) [[unlikely]]
      abandon(*stopping_); // nobody looked
  }
  explicit operator bool() && { return std::exchange(stopping_, nullptr) == nullptr; }

 private:
  Context* stopping_; // nullptr: go on
};

/// What yield returns in a generator that values are sent to: the value, or that nobody wants another one. As a value
/// it is to be taken at once.
template <class In> class Sent {
 public:
  Sent(Context* stopping, In* value) : stopping_(stopping), value_(value) {}
  Sent(Sent&& other) noexcept : stopping_(std::exchange(other.stopping_, nullptr)), value_(other.value_) {}
  ~Sent() {
    if (stopping_) [[unlikely]]
      abandon(*stopping_);
  }

  operator In() && { return std::move(**this); }
  explicit operator bool() const {
    stopping_ = nullptr;
    return value_ != nullptr;
  }
  /// The value, in a body that has asked whether there is one.
  In& operator*() const {
    if (!value_) [[unlikely]]
      abandon(*stopping_);
    return *value_;
  }
  In* operator->() const { return &**this; }

 private:
  mutable Context* stopping_; // nullptr: go on, or seen
  In* value_;
};

struct Nothing {};
template <class In> using Sendable = std::conditional_t<std::is_void_v<In>, Nothing, In>;

/// The body's end of the generator. The contexts are members so that they can stay in registers across a yield.
template <class Out, class In> class Yield {
 public:
  explicit Yield(State& state) : caller_(&state.caller), body_(&state.body) {}
  Yield(const Yield&) = delete;

  /// Hands the value out and stops until the next one is wanted. Returns what was sent (see Sent), or where nothing is
  /// sent true (see Wanted); it converts to false if no value is wanted any more: then the body is to return.
  [[gnu::always_inline]] auto operator()(Out value) {
    void* const message = Context::return_to(caller_, body_, &value);
    if constexpr (std::is_void_v<In>)
      return Wanted(message ? nullptr : body_);
    else
      return Sent<In>(message ? nullptr : body_, static_cast<In*>(message));
  }

 private:
  Context* caller_;
  Context* body_;
};

/// The whole of one generator, at the top of its stack.
template <class Out, class In, class F> struct Whole : State {
  F function;

  explicit Whole(F&& body_function) : function(std::move(body_function)) {}

  static void run(void*, arch::Context& context) {
    auto& self = static_cast<Whole&>(State::of(context));
    self.body.arrive();
    Yield<Out, In> yield(self);
    self.function(yield);
    Context::return_for_ever_to(self.caller, self.body, nullptr);
  }
};

} // namespace generator

template <class Out, class In = void> class Generator {
 public:
  /// A generator of what body(yield) yields; it begins with the first next(). Panics when there is no memory for its
  /// stack.
  template <class F>
  requires std::invocable < F&, generator::Yield<Out, In>
  & > explicit Generator(F body) {
    using Whole = generator::Whole<Out, In, F>;
    memory::Stack* stack = generator::take_stack();
    auto* whole = ::new (generator::place(*stack, sizeof(Whole), alignof(Whole))) Whole(std::move(body));
    whole->stack = stack;
    whole->destroy = [](generator::State* state) { static_cast<Whole*>(state)->~Whole(); };
    generator::begin(*whole, Whole::run);
    state_ = whole;
  }
  Generator(Generator&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Generator& operator=(Generator&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Generator() {
    if (state_) generator::stop(std::exchange(state_, generator::State::running()));
  }

  /// Lets the body go on to its next yield, and returns what that hands out; nothing when the body has ended. Panics in
  /// the body itself (Python: ValueError, "generator already executing"). Where values are sent, it sends In{}.
  std::optional<Out> next() {
    if constexpr (std::is_void_v<In>) {
      return resume(state_); // which says: go on. (Were it `this`, the object could not stay in a register.)
    } else {
      In nothing{};
      return resume(&nothing);
    }
  }

  /// The same, and the yield at which the body stands returns the value. Panics when the body has not begun, as there
  /// is no such yield (Python: TypeError).
  std::optional<Out> send(generator::Sendable<In> value) requires(!std::is_void_v<In>) {
    if (can_go_on() && state_->body.fresh()) generator::panic_not_started();
    return resume(&value);
  }

  /// The body has ended. It ends in a next() or send() that returns nothing.
  bool done() const { return state_ == nullptr; }

  // Takes what is left, one after the other: an input range.
  class Iterator {
   public:
    using value_type = Out;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Generator& generator) : generator_(&generator), value_(generator.next()) {}
    Out& operator*() const { return *value_; }
    Iterator& operator++() {
      value_ = generator_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return !iterator.value_; }

   private:
    Generator* generator_;
    mutable std::optional<Out> value_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  /// False when the body has ended; panics in the body itself.
  bool can_go_on() const {
    if (state_ > generator::State::running()) [[likely]]
      return true;
    if (state_) generator::panic_running();
    return false;
  }

  std::optional<Out> resume(void* message) {
    if (!can_go_on()) return {};
    generator::State* state = std::exchange(state_, generator::State::running());
    auto* const out = static_cast<Out*>(generator::State::resume(state, message));
    if (out) [[likely]] {
      state_ = state;
      return std::optional<Out>(std::move(*out));
    }
    state_ = nullptr;
    generator::release(state);
    return {};
  }

  generator::State* state_;
};

} // namespace rt
