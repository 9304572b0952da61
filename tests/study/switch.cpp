// Two flows that switch to each other: for `make study`, which steps through it.

#include <arch/switch.hpp>

using rt::arch::Context;

Context main_flow, other_flow;
alignas(16) char other_stack[4096];

// A function of its own, so that the debugger finds it; elsewhere it is part of whoever switches, and what the
// compiler saves around it is what that function still needs.
[[gnu::noinline]] void* hop(Context& from, const Context& to, void* value) {
  return rt::arch::switch_context(from, to, value);
}

[[gnu::noinline]] void other(void* value, Context& self) {
  for (;;) value = hop(self, main_flow, value);
}

int main() {
  other_flow = rt::arch::make_context(other_stack + sizeof other_stack, other);
  int ping = 0;
  return hop(main_flow, other_flow, &ping) == &ping ? 0 : 1;
}
