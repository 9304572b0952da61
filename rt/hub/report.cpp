#include <rt/hub/report.hpp>

#include <rt/base/digits.hpp>
#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/base/print.hpp>
#include <rt/hub/hub.hpp>
#include <rt/memory/stack_pool.hpp>
#include <rt/sync/thread_report.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include <algorithm>

namespace rt::hub {

constinit Atomic<unsigned> watchdogs = 0;

namespace {

constexpr std::size_t most_fibers = 1000; // in one report

// What runs in the calling thread at the moment, in a signal handler perhaps.
struct OnCpu {
  const Flow* flow;
  const void* frames;
};

// A signal may come when the hub has noted the next flow already but has not switched to it: the stack tells.
// Generators and greenlets have stacks that are no flow's; with them, the note is right.
const Flow* flow_on(Hub& hub, std::uintptr_t stack_pointer) {
  const memory::Stack* const stack = memory::find_stack(stack_pointer);
  if (!stack) return &hub.main_flow();
  const Flow* found = running_flow;
  hub.flows.visit([&](const Flow& flow) {
    if (flow.stack == stack) found = &flow;
  });
  return found;
}

bool is_suspended(const Flow& flow) {
  return flow.waiter && flow.waiter->state().load(std::memory_order_acquire) == Waiter::suspended;
}

void write_state(Output& out, const Flow& flow, bool on_cpu) {
  if (!is_suspended(flow))
    return out.put(on_cpu ? " runs" : flow.context.fresh() ? " has not begun" : " is ready to run");
  reporting::write_wait(out, *flow.task, flow.waiter);
  if (flow.timer == Flow::no_timer) return;
  const auto left =
      std::chrono::nanoseconds(flow.hub->timers.deadline_at(flow.timer)) - Clock::now().time_since_epoch();
  format_to(out, "; at most {} more", std::max(std::chrono::ceil<std::chrono::milliseconds>(left), {}));
}

void write_flow(const Flow& flow, const OnCpu& on_cpu) {
  char buffer[2048];
  Output out{std::span<char>(buffer)};
  const Flow& thread = flow.hub->main_flow();
  if (&flow == &thread)
    format_to(out, "  thread '{}' (id {})", flow.task->name.data(), flow.id);
  else
    format_to(out, "  fiber '{}' (id {}) of thread {}", flow.task->name.data(), flow.id, thread.id);
  write_state(out, flow, &flow == on_cpu.flow);
  out.put_literal("\n");
  if (&flow == on_cpu.flow) {
    write_backtrace(out, on_cpu.frames);
  } else if (!flow.context.fresh()) {
    const arch::Context& registers = flow.context.registers();
    const arch::Frame innermost{registers.frame_pointer,
                                reinterpret_cast<std::uintptr_t>(registers.resume_address) + 1};
    write_backtrace(out, arch::frame_pointer_to(&innermost));
  }
  write_text(out.text(), 2, false);
}

} // namespace

bool is_only_thread() {
  struct statx status;
  constexpr long current_directory = -100;
  static constexpr char path[] = "/proc/self/task";
  if (arch::syscall(__NR_statx, current_directory, reinterpret_cast<long>(path), 0, STATX_NLINK,
                    reinterpret_cast<long>(&status)) != 0)
    return false;
  return status.stx_nlink == 3 + watchdogs.load(std::memory_order_relaxed); // "." and ".." and the one thread
}

void write_running_fiber(Output& out) {
  if (!running_flow || running_flow == &running_flow->hub->main_flow()) return;
  out.put_literal("fiber '");
  out.put(running_flow->task->name.data());
  out.put_literal("' (id ");
  put_decimal(out, running_flow->id);
  out.put_literal(") of ");
}

void report(std::uint32_t which, const void* frames, std::uintptr_t stack_pointer) {
  Hub& hub = *running_flow->hub;
  const OnCpu on_cpu{flow_on(hub, stack_pointer), frames};
  if (which == reporting::running_flow) return write_flow(*on_cpu.flow, on_cpu);
  std::size_t left_out = 0, written = 0;
  const auto consider = [&](const Flow& flow) {
    if (which != reporting::all_flows && which != flow.id) return;
    ++(written < most_fibers ? written : left_out);
    if (left_out == 0) write_flow(flow, on_cpu);
  };
  consider(hub.main_flow());
  hub.flows.visit([&](const Flow& flow) {
    if (flow.live) consider(flow);
  });
  if (left_out > 0) eprintln("  and {} more fibers of thread {}", left_out, hub.main_flow().id);
}

TaskId thread_of(TaskId fiber) {
  for (const Hub* hub = Hub::first(); hub; hub = hub->next())
    if (hub->flows.has(fiber)) return hub->thread();
  return 0;
}

void report_stuck(Hub&) {
  eprintln("stuck: every fiber of the only thread waits, and nothing is left that could wake one");
  const void* const frames = __builtin_frame_address(0);
  report(reporting::all_flows, frames, reinterpret_cast<std::uintptr_t>(frames));
  panic("all fibers wait for ever: see above what each of them waits for");
}

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_report_flows_on_quit(const InitialStack&) {
  report_on_quit();
}
RT_AT_START(25, rt_report_flows_on_quit);

} // namespace rt::hub
