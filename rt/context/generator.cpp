#include <rt/context/generator.hpp>

#include <rt/base/panic.hpp>

namespace rt::generator {

void abandon(Context& body) {
  State& state = State::of(const_cast<arch::Context&>(body.registers()));
  Context::return_for_ever_to(state.caller, body, nullptr);
}

memory::Stack* take_stack() { return memory::take_stack().value(); }

void begin(State& state, arch::Entry* entry) {
  void* const top = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(&state) & -std::uintptr_t{16});
  state.body.begin(*state.stack, top, entry);
}

void stop(State* state) {
  if (state == State::running()) panic_running();
  // Whether the body returns, is abandoned or yields once more, it is not wanted any longer.
  if (!state->body.fresh()) State::resume(state, nullptr);
  release(state);
}

void release(State* state) {
  memory::Stack* const stack = state->stack;
  state->body.end();
  state->destroy(state);
  memory::give_stack(stack);
}

void panic_not_started() { panic("send() to a generator that has not begun: call next() first, to its first yield"); }

void panic_running() { panic("a generator is resumed or destroyed by its own body"); }

} // namespace rt::generator
