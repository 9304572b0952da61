#pragma once
// Context: one flow of control that does not run: where its stack is and where it goes on (arch/<cpu>/switch.hpp), and
// what the sanitizers of the hosted profile know of it.
//
// Two pairs of operations, which cannot be mixed:
//
//   switch_to            from any flow to any other                                        Greenlet, fibers of a hub
//   call, return_to      from a flow to one below it and back, nested as calls are         Generator
//
// A value travels with each. All of them are inline: the compiler spills what is live at the very place, and no more.

#include <rt/memory/sanitizer.hpp>
#include <rt/memory/stack_pool.hpp>

#include <arch/switch.hpp>

#include <type_traits>

namespace rt {

class Context {
 public:
  /// For a flow that runs already, such as a thread's own, to stop in.
  constexpr Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// A flow that calls entry(value, self) on the stack below `top`, a multiple of 16 in the stack: with the value of
  /// the first switch or call, and what of() makes *this of. The first thing that entry does is arrive(); it must not
  /// return.
  [[gnu::always_inline]] void begin(const memory::Stack& stack, void* top, arch::Entry* entry) {
    registers_ = arch::make_context(top, entry);
    flow_.begin(stack.begin, stack.size());
  }
  /// The flow is over or will never go on: the stack can be used for another one.
  [[gnu::always_inline]] void end() { flow_.end(); }
  [[gnu::always_inline]] void arrive() { flow_.arrive(); }

  /// Stops the calling flow, which is *this, and lets `next` go on with the value. Returns the value given to whoever
  /// switches back.
  [[gnu::always_inline]] void* switch_to(Context& next, void* value) {
    flow_.leave(next.flow_);
    value = arch::switch_context(registers_, next.registers_, value);
    flow_.arrive();
    return value;
  }

  /// The same, with what hook(value) returns, called on the stack of `next` when this one has been left.
  [[gnu::always_inline]] void* switch_to(Context& next, void* value, void* (*hook)(void*)) {
    flow_.leave(next.flow_);
    value = arch::switch_context(registers_, next.registers_, value, hook);
    flow_.arrive();
    return value;
  }

  /// The last act of a flow: `next` goes on.
  [[noreturn, gnu::always_inline]] void switch_for_ever_to(Context& next, void* value) {
    flow_.leave(next.flow_, true);
    arch::switch_context(registers_, next.registers_, value);
    __builtin_unreachable();
  }

  /// Lets `callee` go on until it calls return_to. Returns the value given there. The pointers are unchanged; to use
  /// them afterwards is faster than to use others (arch/<cpu>/switch.hpp).
  [[gnu::always_inline]] static void* call(Context*& caller, Context*& callee, void* value) {
    caller->flow_.leave(callee->flow_);
    auto *from = &caller->registers_, *to = &callee->registers_;
    value = arch::call_context(from, to, value);
    caller = of(from);
    callee = of(to);
    caller->flow_.arrive();
    return value;
  }

  /// Stops the calling flow, `callee`, in favour of `caller`, which called it. Returns the value of the next call.
  [[gnu::always_inline]] static void* return_to(Context*& caller, Context*& callee, void* value) {
    callee->flow_.leave(caller->flow_);
    auto *to = &caller->registers_, *from = &callee->registers_;
    value = arch::return_context(to, from, value);
    caller = of(to);
    callee = of(from);
    callee->flow_.arrive();
    return value;
  }

  [[noreturn, gnu::always_inline]] static void return_for_ever_to(Context& caller, Context& callee, void* value) {
    callee.flow_.leave(caller.flow_, true);
    auto *to = &caller.registers_, *from = &callee.registers_;
    arch::return_context(to, from, value);
    __builtin_unreachable();
  }

  /// begin() was called, and nothing has gone on there yet.
  bool fresh() const { return registers_.resume_address == reinterpret_cast<void*>(arch::rt_context_entry); }

  /// The one that `entry` is told of.
  static Context* of(arch::Context* registers) { return reinterpret_cast<Context*>(registers); }

  /// For backtraces of a flow that is stopped.
  const arch::Context& registers() const { return registers_; }

 private:
  arch::Context registers_ = {}; // first, for of()
  [[no_unique_address]] sanitizer::Flow flow_;
};
static_assert(std::is_standard_layout_v<Context>);

} // namespace rt
