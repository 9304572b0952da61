// What a supervisor has to cope with, one kind for each command; the tests of init run it. Needs nothing but the
// kernel.

#include <rt/base/print.hpp>
#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/terminal.hpp>

#include <arch/syscall.hpp>
#include <chrono>
#include <linux/fcntl.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <string_view>

using namespace std::chrono_literals;
using namespace rt::kernel;

namespace {

int number(const char* text) {
  int value = 0;
  for (; *text; ++text) value = value * 10 + (*text - '0');
  return value;
}

/// Runs the function in a child, which then ends.
template <class Body> ProcessId in_child(Body body) {
  const ProcessId child = rt::kernel::fork().value();
  if (child != 0) return child;
  body();
  exit_process(0);
}

/// Prints signals as they come, until SIGTERM.
void report_signals(const char* who) {
  rt::println("{} is ready", who);
  for (;;) {
    const Signal signal = wait_for_signal(SignalSet::all()).value();
    rt::println("{}: {}", who, signal);
    if (signal == Signal::sigterm) return;
  }
}

// Children whose parent ends at once and who then end themselves. No zombie may be left of them.
int orphans(int count) {
  const PipeEnds pipe = make_pipe(O_CLOEXEC).value();
  int gone = 0;
  for (int i = 0; i < count; ++i) {
    const ProcessId parent = in_child([&] {
      const ProcessId orphan = in_child([] {});
      rt::write_text({reinterpret_cast<const char*>(&orphan), sizeof orphan}, pipe.write, false);
    });
    (void)wait_for_child(parent).value();
    ProcessId orphan = 0;
    (void)read_file(pipe.read, {reinterpret_cast<char*>(&orphan), sizeof orphan}).value();
    // A zombie still counts as a process for kill(2).
    for (const auto limit = rt::Deadline::after(30s); !limit.passed();) {
      if (send_signal(orphan, Signal{}).error() == rt::Errc::no_such_process) {
        ++gone;
        break;
      }
      (void)wait_for_signal(SignalSet(Signal::sigusr1), rt::Deadline::after(100us));
    }
  }
  rt::println("{} orphans are gone", gone);
  return 0;
}

// A child that stays when this process ends, and does not end by SIGTERM when `stubborn`.
int leave_child(bool stubborn, int code) {
  block_signals(SignalSet::all());
  const PipeEnds pipe = make_pipe(O_CLOEXEC).value();
  in_child([&] {
    rt::write_text("x", pipe.write, false);
    for (;;) {
      const Signal signal = wait_for_signal(SignalSet::all()).value();
      rt::println("child: {}", signal);
      if (signal == Signal::sigterm && !stubborn) return;
    }
  });
  char byte[1];
  (void)read_file(pipe.read, byte).value();
  return code;
}

int show_state() {
  const SignalSet blocked = block_signals({});
  bool any = false;
  for (int i = 1; i <= last_signal; ++i) any |= blocked.contains(static_cast<Signal>(i));
  const auto ttou = set_signal_action(Signal::sigttou, {});
  const auto foreground = foreground_group(0);
  rt::println("signals {}, SIGTTOU {}", any ? "blocked" : "free", ttou.handler == 0 ? "by default" : "ignored");
  rt::println("leads its group: {}", process_group() == process_id());
  rt::println("in the foreground: {}", foreground && *foreground == process_group());
  return 0;
}

/// What init has to prepare for the command in a machine; the number of things that are missing.
int count_missing(char** environment) {
  int missing = 0;
  const auto require = [&](bool there, std::string_view what) {
    if (there) return;
    rt::println("missing: {}", what);
    ++missing;
  };
  for (const char* path : {"/dev", "/proc", "/sys", "/sys/fs/cgroup", "/dev/pts", "/dev/shm", "/run", "/tmp"}) {
    const auto status = path_status(path);
    require(status && status->mount_root, path);
  }
  for (const std::string_view name : {"PATH=", "HOME=", "TERM="}) {
    bool set = false;
    for (char** variable = environment; *variable; ++variable) set |= std::string_view(*variable).starts_with(name);
    require(set, name);
  }
  for (const int descriptor : {0, 1, 2}) require(is_terminal(descriptor), "a console");
  const auto foreground = foreground_group(0);
  require(foreground && *foreground == process_group(), "the terminal's foreground");
  const long socket = rt::arch::syscall(__NR_socket, 2, 2, 0); // AF_INET, SOCK_DGRAM
  ifreq loopback = {};
  loopback.ifr_name[0] = 'l';
  loopback.ifr_name[1] = 'o';
  require(control_device(static_cast<int>(socket), SIOCGIFFLAGS, &loopback) && (loopback.ifr_flags & IFF_UP),
          "the loopback interface");
  return missing;
}

int run(std::string_view command, const char* argument, char** environment) {
  const int value = argument ? number(argument) : 0;
  if (command == "exit") return value;
  if (command == "orphans") return orphans(value);
  if (command == "leave-obedient") return leave_child(false, value);
  if (command == "leave-stubborn") return leave_child(true, value);
  if (command == "state") return show_state();
  if (command == "machine") return count_missing(environment);
  if (command == "die") {
    (void)send_signal(process_id(), static_cast<Signal>(value));
    return 99;
  }
  if (command == "signals") {
    block_signals(SignalSet::all());
    report_signals("command");
    return value;
  }
  if (command == "signal-init") { // which is PID 1 here, and sends it back
    block_signals(SignalSet::all());
    (void)send_signal(1, static_cast<Signal>(value));
    rt::println("init sends {}", wait_for_signal(SignalSet::all()).value());
    return 0;
  }
  if (command == "group") { // both processes get what goes to the group
    block_signals(SignalSet::all());
    const ProcessId child = in_child([] { report_signals("child"); });
    report_signals("command");
    (void)send_signal(child, Signal::sigkill); // where only the command was signalled
    return wait_for_child(child).value().status.shell_code();
  }
  if (command == "wait") { // for any signal, with the actions it was started with
    rt::println("waits");
    for (;;) (void)wait_for_signal({});
  }
  rt::eprintln("family: '{}' is no command", command);
  return 2;
}

} // namespace

int main(int argc, char** argv, char** environment) {
  return run(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : nullptr, environment);
}
