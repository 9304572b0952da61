// Process, method by method: what a process is made with, what it can be asked and told, and how it ends.

#include "options.hpp"

#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>
#include <rt/process/process.hpp>

using namespace std::chrono_literals;

namespace {

template <class T> std::string_view text_of(char (&buffer)[32], const std::optional<T>& value) {
  rt::Output out(buffer);
  value ? rt::format_to(out, "{}", *value) : out.put("none");
  return out.text();
}

void show(const rt::Process& process) {
  char code[32];
  rt::println("  name {}, pid {}, daemon {}, is_alive {}, exit_code {}", process.name(),
              process.pid() == 0 ? "none" : "known", process.daemon(), process.is_alive(),
              text_of(code, process.exit_code()));
}

int add(int a, int b) {
  rt::println("  child: {} + {} is my exit code, and my name is {}", a, b, rt::current_task().name.data());
  return a + b;
}

void sleep_long() { apps::pause(60s); }

void function_and_arguments() {
  rt::println("a function, its arguments and a name:");
  rt::Process process({.name = "adder"}, add, 2, 3);
  show(process);
  process.start().value();
  process.join();
  show(process);
  rt::println("  a second start(): {}", process.start().error());
}

void run_of_a_class() {
  rt::println("run() of a class:");
  struct Greeter : rt::Process {
    void run() override { rt::println("  child: run() of {}, whose pid is its own: {}", name(), own_pid()); }
    static bool own_pid() { return rt::kernel::process_id() == static_cast<int>(rt::current_task().id); }
  } greeter;
  greeter.start().value();
  greeter.join();
  show(greeter);
}

void time_limit_and_terminate() {
  rt::println("a join that times out, and terminate():");
  rt::Process process(sleep_long);
  process.start().value();
  show(process);
  rt::println("  join_for: {}", process.join_for(apps::scaled(500ms)).error());
  process.terminate().value();
  process.join();
  show(process);
}

void kill() {
  rt::println("kill():");
  rt::Process process(sleep_long);
  process.start().value();
  process.kill().value();
  process.join();
  show(process);
}

void descriptor() {
  rt::println("pidfd(), for whoever waits for several things:");
  rt::Process process([] { apps::pause(200ms); });
  process.start().value();
  const auto ready = rt::wait_until_ready(process.pidfd(), rt::Ready::read);
  rt::println("  ready: {}, is_alive {}", ready.ok(), process.is_alive());
}

// The daemon holds one end of a pipe as long as it lives. Both sleep until they are killed, at any scale of sleeps.
void daemon() {
  rt::println("a daemon, whose parent is killed:");
  const auto pipe = rt::kernel::make_pipe(0).value();
  rt::Fd reader(pipe.read), writer(pipe.write);
  rt::Process parent([&writer] {
    rt::Process child({.name = "daemon", .daemon = true}, [&writer] {
      rt::println("  child of the child: runs as {}", rt::current_task().name.data());
      rt::write_text("x", writer.number(), false);
      rt::sleep_for(60s);
    });
    child.start().value();
    rt::sleep_for(60s);
  });
  parent.start().value();
  writer.close();
  char text[8];
  rt::kernel::read_file(reader.number(), text).value();
  parent.kill().value();
  parent.join();
  show(parent);
  const std::size_t size = rt::kernel::read_file(reader.number(), text).value();
  rt::println("  the daemon has ended, too: {}", size == 0);
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Process: every method and property, a time limit, a terminate, and a daemon.");
  if (const auto status = options.finish()) return *status;
  function_and_arguments();
  run_of_a_class();
  time_limit_and_terminate();
  kill();
  descriptor();
  daemon();
  rt::println("end");
  return 0;
}
