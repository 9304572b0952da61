// The start of a Process, in the parent and in the child.

#include <rt/base/digits.hpp>
#include <rt/base/print.hpp>
#include <rt/base/single_threaded.hpp>
#include <rt/context/context.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/kernel/resource.hpp>
#include <rt/memory/stack.hpp>
#include <rt/process/child.hpp>
#include <rt/process/native.hpp>
#include <rt/process/setup.hpp>
#include <rt/sync/waiter.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <linux/prctl.h>

#include <algorithm>
#include <mutex>

namespace rt::processing {
namespace {

using kernel::SignalSet;

/// What the child needs of its parent's call.
struct Beginning {
  Child& child;
  Process& process;
  const Setup& setup;
  Fd report; // for the error of the setup; closed: nobody waits for it
  SignalSet blocked;
};

// The thread that called start() is the child's main thread, whatever ran in it.
void become_main_task(const Child& child) {
  ::new (&this_thread_task) Task;
  this_thread_task.id = current_task_id = static_cast<TaskId>(arch::syscall(__NR_gettid));
  this_thread_task.name = child.name;
  running_task = &this_thread_task;
  parked_thread = nullptr;
  if (child.named()) arch::syscall(__NR_prctl, PR_SET_NAME, reinterpret_cast<long>(child.name.data()), 0, 0, 0);
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

// A PID 1 gets no signal that it does not handle.
void end_at_sigterm() {
  constexpr int sigterm = static_cast<int>(kernel::Signal::sigterm);
  const auto action = arch::signal_action(
      [](int signal, const siginfo_t*, const arch::SignalFrame*) { kernel::exit_process(128 + signal); }, 0);
  arch::syscall(__NR_rt_sigaction, sigterm, reinterpret_cast<long>(&action), 0, sizeof(SignalSet));
}

// The parent waits for one number.
void set_up(const Beginning& beginning) {
  const auto done = beginning.setup.apply(false, beginning.report.number());
  const Errc code = done.error().code;
  if (beginning.report.is_open())
    write_text({reinterpret_cast<const char*>(&code), sizeof code}, beginning.report.number(), false);
  if (!done) kernel::exit_process(127);
  if (beginning.child.options.environment) kernel::set_environment(beginning.child.options.environment);
  if (beginning.child.options.namespaces.process_ids) end_at_sigterm();
}

[[noreturn]] void begin(Beginning&& beginning) {
  const bool small_stack =
      this_thread_task.block || memory::find_stack(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  run_fork_hooks(ForkPhase::child);
  Child::disown_all();
  become_main_task(beginning.child);
  for (Fd& stream : beginning.child.streams) stream.close();
  beginning.child.life.close();
  set_up(beginning);
  beginning.report.close();
  if (small_stack) run_on_large_stack(beginning);
  run(beginning);
}

} // namespace

void Child::give_name() {
  Output identity_text(std::span<char>(identity.data(), identity.size() - 1));
  if (family->identity[0] != 0) format_to(identity_text, "{}:", family->identity.data());
  put_decimal(identity_text, ++family->children_made);
  if (named()) return;
  Output name_text(std::span<char>(name.data(), name.size() - 1));
  name_text.put_literal("Process-");
  name_text.put(identity.data());
}

int Child::run(Process& self) {
  if (!object) return self.run(), 0;
  const int code = callable.run(object);
  callable.destroy(object);
  return code;
}

namespace {

// What the child has written, if it has come that far.
Error read_report(int pipe) {
  Errc code = Errc::none;
  (void)wait_until_ready(pipe, Ready::read, Deadline::no_matter_what());
  (void)kernel::read_file(pipe, {reinterpret_cast<char*>(&code), sizeof code});
  return {code};
}

} // namespace

void Child::begin_anew() {
  const std::lock_guard guard(family->lock);
  (void)kernel::wait_for_described_child(process);
  close_descriptor();
  delist();
  for (Fd& stream : streams) stream.close();
  life.close();
  process = {};
  state = State::fresh;
}

// No signal's handler runs in a child that is half made. What is opened for the child is not seen by another one that
// is started meanwhile.
//
// A child that only runs and ends writes to no page but that of its stack, since to copy one takes as long as a dozen
// system calls: what it has to know is written by the parent, which takes it back, and a lock is held for the copy only
// if another thread could have it.
Result<void> start(Child& child, Process& process) {
  Child::collect_dropped();
  const SignalSet blocked = kernel::block_signals(SignalSet::all().without(kernel::fault_signals));
  Fd report;
  const Result<void> started = [&]() -> Result<void> {
    std::unique_lock guard(family->lock);
    if (child.state != State::fresh) return Errc::already_started;
    Setup setup;
    if (const auto prepared = setup.prepare(child); !prepared) return prepared;
    Fd childs_report;
    if (setup.can_fail()) {
      const auto pipe = make_pipe_above_streams();
      if (!pipe) return pipe.error();
      report = Fd(pipe->read);
      childs_report = Fd(pipe->write);
    }
    run_fork_hooks(ForkPhase::prepare);
    const TaskName identity = std::exchange(family->identity, child.identity);
    const unsigned children_made = std::exchange(family->children_made, 0);
    if (single_threaded()) guard.unlock();
    const auto copy = native_fork(setup.clone_flags());
    if (copy && copy->id == 0) {
      report.close();
      begin({child, process, setup, std::move(childs_report), blocked});
    }
    if (!guard) guard.lock();
    family->identity = identity;
    family->children_made = children_made;
    run_fork_hooks(ForkPhase::parent);
    if (!copy) return copy.error();
    child.begin_running(*copy);
    return {};
  }();
  kernel::block_signals(blocked);
  if (!started || !report) return started;
  const Error error = read_report(report.number());
  if (error == Errc::none) return {};
  child.begin_anew();
  return error;
}

} // namespace rt::processing
