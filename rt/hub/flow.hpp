#pragma once
// Flow: what a hub schedules: a fiber, or the flow that its thread began with. Flows lie in dense arrays (fiber.cpp),
// so that to go through many of them touches few cache lines; what is not needed to switch lies at the top of the
// stack.

#include <rt/base/atomic.hpp>
#include <rt/base/task.hpp>
#include <rt/context/context.hpp>

#include <arch/cpu.hpp>
#include <cstddef>
#include <cstdint>

namespace rt {
class Waiter;
}

namespace rt::hub {

class Hub;

struct alignas(arch::cache_line) Flow {
  static constexpr std::uint32_t no_timer = ~std::uint32_t{0};

  Context context;
  Flow* next = nullptr; // in the run queue, the inbox or a pool
  Task* task = nullptr;
  TaskId id = 0;                  // task->id, at hand for the switch
  std::uint32_t timer = no_timer; // its place among the deadlines
  Waiter* waiter = nullptr;       // while it is parked
  Hub* hub = nullptr;

  // Of fibers; see fiber.hpp.
  memory::Stack* stack = nullptr;
  Atomic<std::uintptr_t> ending = 0;
  void* call = nullptr;
  void (*run)(Flow& flow) = nullptr;
  void (*destroy)(Flow& flow) = nullptr; // what run() has left: its result

  // While it waits for a lock: its neighbours, those that began earlier and later.
  Flow* earlier = nullptr;
  Flow* later = nullptr;
  std::uint32_t epoch = 0; // in which it began
  bool live = false;       // a fiber that has not ended

  static Flow& of(arch::Context& context) { return *reinterpret_cast<Flow*>(Context::of(&context)); }
};
static_assert(offsetof(Flow, context) == 0);

} // namespace rt::hub
