#pragma once
// Runs the command, forwards signals to it, reaps whoever ends, and sees to those who are left when it has ended.
//
// All signals are blocked and taken one at a time, so nothing here is asynchronous, and as PID 1 those without an
// action arrive, too: the kernel keeps them from a PID 1 only while they are not blocked.

#include "init_options.hpp"

#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/terminal.hpp>

#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/wait.h>

namespace init {

using namespace std::chrono_literals;
using rt::Deadline;
using rt::kernel::ChildStatus;
using rt::kernel::ProcessId;
using rt::kernel::Signal;
using rt::kernel::SignalSet;

class Supervisor {
 public:
  explicit Supervisor(const Settings& settings)
      : settings_(settings), first_(rt::kernel::process_id() == 1), adopts_(first_ || settings.subreaper) {}

  /// Returns the exit code that the command had, or that tells why it could not be run.
  int run(const char* const* command, const char* const* environment) {
    if (!prepare()) return 1;
    const auto child = start(command, environment);
    if (!child) {
      rt::eprintln("init: cannot create a process: {}", child.error());
      return 1;
    }
    command_ = *child;
    if (settings_.verbose) rt::eprintln("init: process {} runs '{}'", command_, command[0]);
    while (!ended_) wait_and_handle({});
    if (adopts_) end_the_rest();
    return exit_code();
  }

 private:
  bool prepare() {
    before_ = rt::kernel::block_signals(SignalSet::all().without(rt::kernel::fault_signals));
    // Inherited as ignored, SIGCHLD would make the kernel reap the children and forget how they ended.
    rt::kernel::set_signal_action(Signal::sigchld, {});
    // The command's group has the terminal: init may write to it (with TOSTOP set) and take it back nevertheless.
    ttin_ = rt::kernel::set_signal_action(Signal::sigttin, rt::kernel::SignalAction::ignore());
    ttou_ = rt::kernel::set_signal_action(Signal::sigttou, rt::kernel::SignalAction::ignore());
    const auto foreground = rt::kernel::foreground_group(0);
    has_terminal_ = foreground && *foreground == rt::kernel::process_group();

    if (settings_.subreaper && !first_)
      if (const auto done = rt::kernel::become_subreaper(); !done)
        return complain("cannot adopt orphans", done.error());
    if (settings_.at_parent_end)
      if (const auto done = rt::kernel::signal_at_parent_end(*settings_.at_parent_end); !done)
        return complain("cannot ask for a signal at the parent's end", done.error());
    if (!adopts_) rt::eprintln("init: this is not PID 1, so orphans are not reaped; --subreaper changes that");
    return true;
  }

  static bool complain(const char* what, rt::Error error) {
    rt::eprintln("init: {}: {}", what, error);
    return false;
  }

  // With CLONE_VFORK, init goes on when the command has its group and its program: no signal can be forwarded too
  // early.
  rt::Result<ProcessId> start(const char* const* command, const char* const* environment) {
    const auto child = rt::kernel::fork(CLONE_VFORK);
    if (child && *child == 0) become(command, environment);
    return child;
  }

  // In the child.
  [[noreturn]] void become(const char* const* command, const char* const* environment) {
    (void)rt::kernel::set_process_group(0, 0);
    if (has_terminal_) (void)rt::kernel::set_foreground_group(0, rt::kernel::process_id());
    rt::kernel::set_signal_action(Signal::sigttin, ttin_);
    rt::kernel::set_signal_action(Signal::sigttou, ttou_);
    rt::kernel::block_signals(before_);
    const rt::Error error = rt::kernel::execute_in_path(command[0], command, environment);
    rt::eprintln("init: cannot run '{}': {}", command[0], error);
    rt::kernel::exit_process(error == rt::Errc::no_such_file_or_directory || error == rt::Errc::not_a_directory ? 127
                                                                                                                : 126);
  }

  /// One signal; false: none came in time.
  bool wait_and_handle(Deadline deadline) {
    const auto signal = rt::kernel::wait_for_signal(SignalSet::all().without(rt::kernel::fault_signals), deadline);
    if (!signal) return signal.error() != rt::Errc::timed_out;
    if (*signal == Signal::sigchld)
      reap();
    else if (!ended_)
      forward(*signal);
    else if (*signal == Signal::sigterm || *signal == Signal::sigint || *signal == Signal::sigquit)
      impatient_ = true;
    return true;
  }

  void forward(Signal signal) {
    // Continued after a stop, and in the foreground again: the terminal belongs to the command.
    if (signal == Signal::sigcont && has_terminal_)
      if (const auto group = rt::kernel::foreground_group(0); group && *group == rt::kernel::process_group())
        (void)rt::kernel::set_foreground_group(0, command_);
    const int rewritten = settings_.rewritten[static_cast<int>(signal)];
    if (rewritten < 0) return;
    if (rewritten > 0) signal = static_cast<Signal>(rewritten);
    if (settings_.verbose) rt::eprintln("init: forwards {}", signal);
    const auto sent = rt::kernel::send_signal(settings_.group ? -command_ : command_, signal);
    // Somebody who has just ended needs no signal.
    if (!sent && sent.error() != rt::Errc::no_such_process)
      rt::eprintln("init: cannot send {} to process {}: {}", signal, command_, sent.error());
  }

  /// Takes all changes of children that there are: one SIGCHLD may stand for many.
  void reap() {
    for (;;) {
      const auto change = rt::kernel::wait_for_child(rt::kernel::any_child, WNOHANG | WUNTRACED);
      alone_ = !change;
      if (!change || change->id == 0) return;
      if (change->id == command_ && !ended_)
        command_changed(change->status);
      else if (change->status.ended())
        ++orphans_;
    }
  }

  void command_changed(ChildStatus status) {
    if (status.stopped()) return stop_too(status.signal());
    ended_ = true;
    status_ = status;
    // The process group that started init gets back what it lent.
    if (has_terminal_ && !first_) (void)rt::kernel::set_foreground_group(0, rt::kernel::process_group());
    if (!settings_.verbose) return;
    if (status.exited())
      rt::eprintln("init: the command ended with exit code {}", status.exit_code());
    else
      rt::eprintln("init: the command was killed by {}", status.signal());
  }

  // The shell that has init as its job sees the job stopped, as it would see the command without init. Its SIGCONT is
  // forwarded. (Nobody waits for a PID 1, and it cannot be stopped from within.)
  void stop_too(Signal signal) {
    const bool job_control = signal == Signal::sigtstp || signal == Signal::sigttin || signal == Signal::sigttou;
    if (first_ || (!job_control && !has_terminal_)) return;
    if (has_terminal_) (void)rt::kernel::set_foreground_group(0, rt::kernel::process_group());
    (void)rt::kernel::send_signal(rt::kernel::process_id(), Signal::sigstop);
  }

  void end_the_rest() {
    send_to_rest(Signal::sigterm);
    send_to_rest(Signal::sigcont); // those that were stopped could not act on it
    reap();
    const Deadline grace = Deadline::after(settings_.grace);
    while (!alone_ && !impatient_ && wait_and_handle(grace)) {
    }
    if (!alone_) kill_the_rest();
    if (settings_.verbose) rt::eprintln("init: reaped {} orphan{}", orphans_, orphans_ == 1 ? "" : "s");
  }

  // Those whose parent is killed become children of init and have their turn in the next round. What does not end even
  // so hangs in the kernel (on a dead network file system, say) and must not keep the machine from ending.
  void kill_the_rest() {
    if (settings_.verbose) rt::eprintln("init: kills what is left");
    const Deadline limit = Deadline::after(10s);
    while (!alone_ && !limit.passed() && send_to_rest(Signal::sigkill)) wait_and_handle(Deadline::after(100ms));
    if (!alone_) rt::eprintln("init: some processes are left");
  }

  /// Whether somebody could be found. PID 1 reaches everybody; else it is the children that are meant, and without
  /// /proc only their signals' first round, to the command's group, whose id is certainly not anybody else's yet.
  bool send_to_rest(Signal signal) {
    if (first_) {
      (void)rt::kernel::send_signal(-1, signal);
      return true;
    }
    if (signal != Signal::sigkill) (void)rt::kernel::send_signal(-command_, signal);
    return send_to_children(signal);
  }

  bool send_to_children(Signal signal) {
    const auto list = rt::kernel::open_file("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (!list) return false;
    char text[4096]; // more than fit get their signal in the next round
    const auto size = rt::kernel::read_file(*list, text);
    (void)rt::kernel::close_file(*list);
    ProcessId child = 0;
    for (const char c : std::string_view(text, size.value_or(0u))) {
      if (c != ' ') {
        child = child * 10 + (c - '0');
        continue;
      }
      (void)rt::kernel::send_signal(child, signal);
      child = 0;
    }
    return size.ok();
  }

  int exit_code() const {
    const int code = status_.shell_code();
    return settings_.expected[code] ? 0 : code;
  }

  const Settings& settings_;
  const bool first_;          // PID 1
  const bool adopts_;         // orphans become children of this process
  bool has_terminal_ = false; // init was in the foreground of the terminal
  SignalSet before_;          // blocked when init was started
  rt::kernel::SignalAction ttin_, ttou_;
  ProcessId command_ = 0;
  bool ended_ = false; // the command has
  ChildStatus status_;
  bool alone_ = false;     // there are no children
  bool impatient_ = false; // a signal came that shortens the grace period
  unsigned orphans_ = 0;   // reaped
};

} // namespace init
