#include <rt/hub/fiber.hpp>

#include <rt/base/registry.hpp>

namespace rt::hub {
namespace {

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }
void* aligned_down(std::uintptr_t at, std::size_t alignment) {
  return reinterpret_cast<void*>(at & -std::uintptr_t{alignment});
}

void end_task(Task& task) {
  if (task.greenlets) task.end_greenlets(task);
  if (task.registered) unregister_current_task();
}

// The last act of a fiber. From the exchange on its handle may take the result and give the flow back, in this thread
// when it has stopped for ever, in another one to a list that only this thread takes flows from. The result that
// nobody wants is destroyed by the fiber, as one that still lives: its destructor may do what a fiber may do.
void finish(Flow& flow) {
  Hub& hub = *flow.hub;
  end_task(*flow.task);
  const std::uintptr_t was = flow.ending.exchange(ended, std::memory_order_acq_rel);
  if (was == dropped && flow.destroy) {
    flow.destroy(flow);
    end_task(*flow.task);
  }
  flow.live = false;
  --hub.fibers;
  if (was == dropped)
    hub.flows.give(flow);
  else if (was != 0)
    reinterpret_cast<Waiter*>(was)->unpark();
  hub.switch_away_for_ever();
}

void enter(void*, arch::Context& context) {
  Flow& flow = Flow::of(context);
  flow.context.arrive();
  flow.run(flow);
  finish(flow);
}

} // namespace

Result<Flow*> prepare(const FiberOptions& options, const CallOperations& operations) {
  Hub& hub = Hub::of_thread();
  if (const Result<void> room = hub.timers.reserve(hub.fibers + 2); !room) return room.error();
  // Twice: the result is made on the stack, before it takes the place of what it was made from.
  const std::size_t above = sizeof(Task) + 2 * operations.size + operations.alignment;
  const bool large = options.stack_size != 0 || above > 4096;
  const std::size_t size = options.stack_size != 0 ? options.stack_size : memory::default_flow_stack_size;
  const Result<Flow*> taken = hub.flows.take(large ? size + above : 0);
  if (!taken) return taken;
  Flow& flow = *taken.value();
  flow.task = ::new (aligned_down(address(flow.stack->top) - sizeof(Task), alignof(Task))) Task;
  flow.task->id = flow.id;
  if (!options.name.empty()) flow.task->name = task_name(options.name);
  flow.task->stack_size = flow.stack->size();
  flow.call = aligned_down(address(flow.task) - operations.size, operations.alignment);
  flow.run = operations.run;
  flow.destroy = operations.destroy;
  flow.hub = &hub;
  flow.ending.store(0, std::memory_order_relaxed);
  flow.context.begin(*flow.stack, aligned_down(address(flow.call), 16), enter);
  ++hub.fibers; // already now: what is copied into the call may spawn as well, and each needs room for its timer
  return &flow;
}

void launch(Flow& flow) {
  std::atomic_signal_fence(std::memory_order_release); // a handler that reports looks at live ones
  flow.live = true;
  flow.hub->make_ready(flow);
}

Result<void> wait_until_ended(Flow& flow, Deadline deadline) {
  if (&flow == running_flow) panic("a fiber joins itself, and would wait for ever");
  Waiter waiter;
  std::uintptr_t expected = 0;
  if (!flow.ending.compare_exchange_strong(expected, address(&waiter), std::memory_order_acq_rel)) {
    if (expected == ended) return {};
    panic("a fiber is joined by two at the same time");
  }
  const Parked parked = waiter.park(deadline);
  if (parked == Parked::unparked) return {};
  expected = address(&waiter);
  if (flow.ending.compare_exchange_strong(expected, 0, std::memory_order_acq_rel)) return error_of(parked);
  waiter.await_unpark();
  return {};
}

void drop(Flow& flow) {
  if (flow.ending.exchange(dropped, std::memory_order_acq_rel) != ended) return;
  if (flow.destroy) flow.destroy(flow);
  if (running_flow && running_flow->hub == flow.hub)
    flow.hub->flows.give(flow);
  else
    flow.hub->flows.give_from_elsewhere(flow);
}

void cancel(Flow& flow) {
  flow.task->canceled.store(true, std::memory_order_release);
  if (running_flow && running_flow->hub == flow.hub)
    flow.hub->interrupt(flow, Parked::canceled);
  else
    flow.hub->look_for_canceled();
}

} // namespace rt::hub
