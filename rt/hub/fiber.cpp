#include <rt/hub/fiber.hpp>

#include <rt/base/registry.hpp>

namespace rt::hub {
namespace {

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }
void* aligned_down(std::uintptr_t at, std::size_t alignment) {
  return reinterpret_cast<void*>(at & -std::uintptr_t{alignment});
}

// The last act of a fiber. From the exchange on its handle may take the result and give the flow back, in this thread
// when it has stopped for ever, in another one to a list that only this thread takes flows from.
void finish(Flow& flow) {
  Hub& hub = *flow.hub;
  if (flow.task->end_greenlets) flow.task->end_greenlets(*flow.task);
  if (flow.task->registered) unregister_current_task();
  flow.live = false;
  --hub.fibers;
  const std::uintptr_t was = flow.ending.exchange(ended, std::memory_order_acq_rel);
  if (was == dropped) {
    if (flow.destroy) flow.destroy(flow);
    hub.flows.give(flow);
  } else if (was != 0) {
    reinterpret_cast<Waiter*>(was)->unpark();
  }
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
  const std::size_t above = sizeof(Task) + operations.size + operations.alignment;
  const bool large = options.stack_size != 0 || above > 4096;
  const Result<Flow*> taken = hub.flows.take(large ? options.stack_size + above : 0);
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
  return &flow;
}

void launch(Flow& flow) {
  flow.live = true;
  ++flow.hub->fibers;
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
