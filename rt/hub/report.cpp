#include <rt/hub/report.hpp>

#include <rt/base/digits.hpp>
#include <rt/base/panic.hpp>
#include <rt/base/print.hpp>
#include <rt/hub/hub.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/stat.h>

namespace rt::hub {
namespace {

void write_flow(Flow& flow, Hub& hub) {
  char buffer[2048];
  Output out{std::span<char>(buffer)};
  format_to(out, "  {} '{}' (id {})", &flow == &hub.main_flow() ? "thread" : "fiber", flow.task->name.data(), flow.id);
  if (const auto* lock = flow.task->lock.load(std::memory_order_relaxed))
    format_to(out, " waits for lock {}\n", static_cast<const void*>(lock));
  else
    format_to(out, " waits\n");
  if (&flow == running_flow) {
    write_backtrace(out, __builtin_frame_address(0));
  } else {
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
  return status.stx_nlink == 3; // "." and ".." and the one thread
}

void write_running_fiber(Output& out) {
  if (!running_flow || running_flow == &running_flow->hub->main_flow()) return;
  out.put_literal("fiber '");
  out.put(running_flow->task->name.data());
  out.put_literal("' (id ");
  put_decimal(out, running_flow->id);
  out.put_literal(") of ");
}

void report_stuck(Hub& hub) {
  eprintln("stuck: every fiber of the only thread waits, and nothing is left that could wake one");
  write_flow(hub.main_flow(), hub);
  hub.flows.visit([&](Flow& flow) {
    if (flow.live) write_flow(flow, hub);
  });
  panic("all fibers wait for ever: see above what each of them waits for");
}

} // namespace rt::hub
