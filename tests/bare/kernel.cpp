// Typed system calls: processes, signals, files. Nothing but the kernel is needed, not even a writable file.

#include "check.hpp"

#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/signal.hpp>
#include <rt/kernel/terminal.hpp>

#include <chrono>
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/wait.h>

using namespace std::chrono_literals;
using namespace rt::kernel;
using rt::Errc;

namespace {

std::string_view formatted(Signal signal, std::span<char> buffer) {
  rt::Output out(buffer);
  rt::format_to(out, "{}", signal);
  return out.text();
}

template <class Body> ProcessId in_child(Body body, unsigned long flags = 0) {
  const ProcessId child = fork(flags).value();
  if (child != 0) return child;
  body();
  exit_process(0);
}

} // namespace

RT_CASE("signals have their names, also those without one") {
  char buffer[32];
  CHECK(formatted(Signal::sighup, buffer) == "SIGHUP");
  CHECK(formatted(Signal::sigterm, buffer) == "SIGTERM");
  CHECK(formatted(Signal::sigsys, buffer) == "SIGSYS");
  CHECK(formatted(Signal{40}, buffer) == "signal 40");
  CHECK(Signal::sigkill == Signal{9} && Signal::sigchld == Signal{17} && Signal::sigsys == Signal{31});
}

RT_CASE("signals are read by name and by number") {
  CHECK(parse_signal("TERM").value() == Signal::sigterm);
  CHECK(parse_signal("SIGKILL").value() == Signal::sigkill);
  CHECK(parse_signal("1").value() == Signal::sighup);
  CHECK(parse_signal("64").value() == Signal{64});
  for (const std::string_view wrong :
       {"", "0", "65", "-1", "9999999999", "term", "SIG", "SIG9", "TERMINATE", "SIGSIGTERM"})
    CHECK(parse_signal(wrong).error() == Errc::invalid_argument);
}

RT_CASE("a set of signals contains what it was made of") {
  constexpr SignalSet set(Signal::sighup, Signal{64});
  CHECK(set.contains(Signal::sighup) && set.contains(Signal{64}) && !set.contains(Signal::sigterm));
  CHECK(SignalSet::all().contains(Signal::sigterm) && !SignalSet::all().without(set).contains(Signal{64}));
}

RT_CASE("blocked signals are taken one by one, and waiting for them ends at the deadline") {
  const SignalSet set(Signal::sigusr1, Signal::sigusr2);
  CHECK(!block_signals(set).contains(Signal::sigusr1));
  CHECK(wait_for_signal(set, rt::Deadline::after(0s)).error() == Errc::timed_out);
  CHECK(wait_for_signal(set, rt::Deadline::after(5ms)).error() == Errc::timed_out);
  CHECK(send_signal(process_id(), Signal::sigusr2).ok());
  CHECK(send_signal(process_id(), Signal::sigusr1).ok());
  CHECK(wait_for_signal(set).value() == Signal::sigusr1); // the lowest number comes first
  CHECK(wait_for_signal(set).value() == Signal::sigusr2);
  CHECK(block_signals({}).contains(Signal::sigusr2));
}

RT_CASE("an ignored signal does nothing until its action is put back") {
  const SignalAction before = set_signal_action(Signal::sigterm, SignalAction::ignore());
  CHECK(before.handler == 0);
  CHECK(send_signal(process_id(), Signal::sigterm).ok());
  CHECK(set_signal_action(Signal::sigterm, before).handler == 1);
}

RT_CASE("a child's exit code and its killer are told apart") {
  const ProcessId exits = in_child([] { exit_process(37); });
  const ChildChange exited = wait_for_child(exits).value();
  CHECK(exited.id == exits && exited.status.exited() && exited.status.ended() && !exited.status.killed());
  CHECK(exited.status.exit_code() == 37 && exited.status.shell_code() == 37);

  const ProcessId dies = in_child([] { (void)send_signal(process_id(), Signal::sigkill); });
  const ChildStatus killed = wait_for_child(dies).value().status;
  CHECK(killed.killed() && killed.ended() && !killed.exited() && !killed.stopped());
  CHECK(killed.signal() == Signal::sigkill && killed.shell_code() == 137);
  CHECK(wait_for_child(any_child).error() == Errc::no_child_process);
}

RT_CASE("a child that is stopped and continued is not one that has ended") {
  const ProcessId child = in_child([] { (void)send_signal(process_id(), Signal::sigstop); });
  const ChildStatus stopped = wait_for_child(child, WUNTRACED).value().status;
  CHECK(stopped.stopped() && !stopped.ended() && stopped.signal() == Signal::sigstop);
  CHECK(wait_for_child(child, WNOHANG).value().id == 0);
  CHECK(send_signal(child, Signal::sigcont).ok());
  const ChildStatus next = wait_for_child(child, WCONTINUED).value().status;
  CHECK(next.continued() || next.exited());
  if (next.continued()) CHECK(wait_for_child(child).value().status.exited());
}

RT_CASE("with CLONE_VFORK the parent goes on when the child has ended") {
  const PipeEnds pipe = make_pipe(O_CLOEXEC | O_NONBLOCK).value();
  const ProcessId child = in_child([&] { rt::write_text("x", pipe.write, false); }, CLONE_VFORK);
  char byte[2];
  CHECK(read_file(pipe.read, byte).value() == 1);
  CHECK(wait_for_child(child).value().status.exited());
}

RT_CASE("a child may lead a process group or a session of its own") {
  const ProcessId in_group = in_child([] {
    CHECK(process_group() != process_id());
    CHECK(set_process_group(0, 0).ok());
    CHECK(process_group() == process_id());
  });
  CHECK(wait_for_child(in_group).value().status.shell_code() == 0);
  const ProcessId in_session = in_child([] {
    CHECK(start_session().ok());
    CHECK(process_group() == process_id());
    CHECK(start_session().error() == Errc::operation_not_permitted); // it leads a group already
  });
  CHECK(wait_for_child(in_session).value().status.shell_code() == 0);
}

RT_CASE("a subreaper gets the orphans among its descendants") {
  CHECK(become_subreaper().ok());
  const ProcessId child = in_child([] { in_child([] { exit_process(5); }); });
  int orphans = 0;
  while (const auto change = wait_for_child(any_child))
    if (change->id != child) orphans += change->status.exit_code() == 5;
  CHECK(orphans == 1);
}

RT_CASE("a program that cannot be executed is an error with its reason") {
  const char* const environment[] = {"PATH=/no/such/directory:/dev/null", nullptr};
  const char* const missing[] = {"no-such-program", nullptr};
  const char* const nothing[] = {"", nullptr};
  const char* const directory[] = {"/", nullptr};
  CHECK(execute("/no/such/program", missing, environment) == Errc::no_such_file_or_directory);
  CHECK(execute_in_path(missing[0], missing, environment) == Errc::no_such_file_or_directory);
  CHECK(execute_in_path(nothing[0], nothing, environment) == Errc::no_such_file_or_directory);
  CHECK(execute_in_path(directory[0], directory, environment) == Errc::permission_denied);
  // A path that is too long to exist is no reason to stop looking, or to write past the buffer.
  static char long_name[6000];
  for (char& c : long_name) c = 'x';
  long_name[sizeof long_name - 1] = '\0';
  const char* const long_one[] = {long_name, nullptr};
  CHECK(execute_in_path(long_one[0], long_one, environment) == Errc::filename_too_long);
}

RT_CASE("what comes out of a pipe is what went in, and then its end") {
  const PipeEnds pipe = make_pipe(O_CLOEXEC).value();
  rt::write_text("text", pipe.write, true);
  CHECK(close_file(pipe.write).ok());
  char buffer[16];
  CHECK(read_file(pipe.read, buffer).value() == 5);
  CHECK(std::string_view(buffer, 5) == "text\n");
  CHECK(read_file(pipe.read, buffer).value() == 0);
  CHECK(is_open(pipe.read) && !is_open(pipe.write));
  CHECK(!is_terminal(pipe.read));
  CHECK(close_file(pipe.write).error() == Errc::bad_file_descriptor);
}

RT_CASE("a descriptor gets another number") {
  const PipeEnds pipe = make_pipe(O_CLOEXEC).value();
  CHECK(duplicate_as(pipe.write, 100).ok());
  rt::write_text("x", 100, false);
  char byte[1];
  CHECK(read_file(pipe.read, byte).value() == 1);
}

RT_CASE("the root is a directory with entries, and a missing path is an error") {
  CHECK(path_status("/").value().is_directory() && !path_status("/").value().is_file());
  CHECK(path_status("/no/such/path").error() == Errc::no_such_file_or_directory);
  CHECK(open_file("/no/such/path", O_RDONLY).error() == Errc::no_such_file_or_directory);
  const int root = open_file("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC).value();
  DirectoryReader reader(root);
  int entries = 0;
  bool itself = false;
  while (const char* name = reader.next().value()) {
    ++entries;
    itself |= std::string_view(name) == ".";
  }
  CHECK(entries > 2 && itself);
}
