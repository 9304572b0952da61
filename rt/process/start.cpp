// The start of a Process, in the parent and in the child.

#include <rt/base/digits.hpp>
#include <rt/context/context.hpp>
#include <rt/kernel/resource.hpp>
#include <rt/memory/stack.hpp>
#include <rt/process/child.hpp>
#include <rt/process/native.hpp>
#include <rt/sync/waiter.hpp>

#include <arch/syscall.hpp>
#include <linux/prctl.h>

#include <algorithm>

namespace rt::processing {
namespace {

using kernel::SignalSet;

constinit TaskName own_identity = {}; // of a process that is a Process; empty: it is none
constinit unsigned children_made = 0; // with Child::lock held

/// What the child needs of its parent's call.
struct Beginning {
  Child& child;
  Process& process;
  kernel::ProcessId parent;
  SignalSet blocked;
};

// The kernel's signal comes when the parent ends from now on. One that has ended before is no parent any more.
void end_with_parent(kernel::ProcessId parent) {
  (void)kernel::signal_at_parent_end(kernel::Signal::sigkill);
  if (arch::syscall(__NR_getppid) != parent) kernel::exit_process(128 + static_cast<int>(kernel::Signal::sigkill));
}

// The thread that called start() is the child's main thread, whatever ran in it.
void become_main_task(const Child& child) {
  ::new (&this_thread_task) Task;
  this_thread_task.id = current_task_id = static_cast<TaskId>(arch::syscall(__NR_gettid));
  this_thread_task.name = child.name;
  running_task = &this_thread_task;
  parked_thread = nullptr;
  if (child.named) arch::syscall(__NR_prctl, PR_SET_NAME, reinterpret_cast<long>(child.name.data()), 0, 0, 0);
  own_identity = child.identity;
  children_made = 0;
}

[[noreturn]] void run(const Beginning& beginning) {
  kernel::block_signals(beginning.blocked);
  native_exit(beginning.child.run(beginning.process));
}

// A process may use as much stack as any program may, so one that was started in a fiber or in a thread leaves that
// one's stack. (How much a program may is the limit that is named where a stack overflow is reported.)
[[noreturn]] void run_on_large_stack(const Beginning& beginning) {
  constexpr std::uint64_t least = memory::default_stack_size, usual = 8 << 20, most = 1 << 30;
  const std::uint64_t limit = kernel::limits_of(kernel::Resource::stack).current;
  const auto mapping =
      memory::map_stack(limit == kernel::Limits::unlimited ? usual : std::clamp(limit, least, most), 0);
  if (!mapping) run(beginning);
  memory::Stack stack{mapping->stack_begin(), mapping->end(), nullptr, 0, true};
  Context here, there;
  there.begin(stack, stack.top, [](void* value, arch::Context& context) {
    Context::of(&context)->arrive();
    run(*static_cast<const Beginning*>(value));
  });
  here.switch_for_ever_to(there, const_cast<Beginning*>(&beginning));
}

[[noreturn]] void begin(const Beginning& beginning) {
  const bool small_stack =
      this_thread_task.block || memory::find_stack(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  run_fork_hooks(ForkPhase::child);
  Child::disown_all();
  become_main_task(beginning.child);
  if (beginning.child.daemon) end_with_parent(beginning.parent);
  if (small_stack) run_on_large_stack(beginning);
  run(beginning);
}

} // namespace

void Child::give_name() {
  Output identity_text(std::span<char>(identity.data(), identity.size() - 1));
  if (own_identity[0] != 0) format_to(identity_text, "{}:", own_identity.data());
  put_decimal(identity_text, ++children_made);
  if (named) return;
  Output name_text(std::span<char>(name.data(), name.size() - 1));
  name_text.put_literal("Process-");
  name_text.put(identity.data());
}

int Child::run(Process& process) {
  if (!object) return process.run(), 0;
  const int code = callable.run(object);
  callable.destroy(object);
  return code;
}

// No signal's handler runs in a child that is half made.
Result<void> start(Child& child, Process& process) {
  if (child.state != State::fresh) return Errc::already_started;
  const kernel::ProcessId parent = child.daemon ? kernel::process_id() : 0;
  const SignalSet blocked = kernel::block_signals(SignalSet::all().without(kernel::fault_signals));
  Child::lock.lock();
  Child::collect_dropped();
  run_fork_hooks(ForkPhase::prepare);
  const auto copy = native_fork(0);
  if (copy && copy->id == 0) begin({child, process, parent, blocked});
  run_fork_hooks(ForkPhase::parent);
  if (copy) {
    child.id = copy->id;
    child.descriptor = copy->descriptor;
    child.state = State::running;
    child.enlist();
  }
  Child::lock.unlock();
  kernel::block_signals(blocked);
  return copy ? Result<void>{} : copy.error();
}

} // namespace rt::processing
