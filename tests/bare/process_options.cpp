// What a process can have that differs from its parent, and other programs.

#include "check.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/kernel/file.hpp>
#include <rt/process/process.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

#include <linux/fcntl.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace arch = rt::arch;

namespace {

constexpr char own_program[] = "/proc/self/exe"; // which runs no case when it is given a name that none has

int exit_code_of(rt::Process& process) {
  process.join();
  return process.exit_code().value_or(-1000);
}

template <class F> int run(const rt::ProcessOptions& options, F function) {
  rt::Process process(options, function);
  process.start().value();
  return exit_code_of(process);
}

template <class F> rt::Errc failure_of(const rt::ProcessOptions& options, F function) {
  rt::Process process(options, function);
  return process.start().error().code;
}

std::string read_all(const rt::Fd& file) {
  std::string text;
  char buffer[256];
  while (const std::size_t size = rt::kernel::read_file(file.number(), buffer).value()) text.append(buffer, size);
  return text;
}

std::string working_directory() {
  char path[256] = {};
  CHECK(arch::syscall(__NR_getcwd, reinterpret_cast<long>(path), sizeof path) > 0);
  return path;
}

std::vector<int> open_descriptors() {
  std::vector<int> found;
  for (int number = 3; number < 100; ++number)
    if (rt::kernel::is_open(number)) found.push_back(number);
  return found;
}

/// Namespaces may be forbidden here; then the error says so, and the case has nothing else to look at.
bool starts_in_namespaces(rt::Process& process) {
  const auto started = process.start();
  if (started) return true;
  rt::println("  namespaces: {}", started.error());
  CHECK(started.error() == rt::Errc::operation_not_permitted || started.error() == rt::Errc::invalid_argument ||
        started.error() == rt::Errc::no_space_on_device);
  return false;
}

template <class F> bool run_in(const rt::Namespaces& namespaces, F function) {
  rt::Process process({.namespaces = namespaces}, function);
  return !starts_in_namespaces(process) || exit_code_of(process) == 0;
}

} // namespace

RT_CASE("a process has its working directory, and one that does not exist is an error") {
  CHECK(run({.directory = "/proc"}, [] { return working_directory() == "/proc" ? 0 : 1; }) == 0);
  CHECK(working_directory() != "/proc");
  rt::Process process({.directory = "/no/such/directory"}, [] {});
  CHECK(process.start().error() == rt::Errc::no_such_file_or_directory);
  CHECK(!process.is_alive() && process.pid() == 0 && !process.exit_code());
  CHECK(process.start().error() == rt::Errc::no_such_file_or_directory);
}

RT_CASE("a process has its limits and its nice value, and what is not allowed is an error") {
  using rt::kernel::Resource;
  const rt::ResourceLimit limits[] = {{Resource::descriptors, {50, 60}}, {Resource::core_size, {0, 0}}};
  const auto nice = [] { return 20 - static_cast<int>(arch::syscall(__NR_getpriority, 0, 0)); };
  const int before = nice();
  CHECK(run({.limits = limits, .nice = 5}, [&] {
          const auto descriptors = rt::kernel::limits_of(Resource::descriptors);
          return descriptors.current == 50 && descriptors.highest == 60 && nice() == before + 5 ? 0 : 1;
        }) == 0);
  const rt::ResourceLimit wrong[] = {{Resource::descriptors, {60, 50}}};
  CHECK(failure_of({.limits = wrong}, [] {}) == rt::Errc::invalid_argument);
}

RT_CASE("a process leads a new group, or a new session") {
  CHECK(run({.group = 0}, [] { return rt::kernel::process_group() == rt::kernel::process_id() ? 0 : 1; }) == 0);
  CHECK(run({.session = true}, [] { return arch::syscall(__NR_getsid, 0) == rt::kernel::process_id() ? 0 : 1; }) == 0);
  CHECK(failure_of({.group = 1'000'000'000}, [] {}) == rt::Errc::operation_not_permitted);
}

RT_CASE("only the descriptors that are to be kept stay open") {
  const std::size_t others = open_descriptors().size();
  const auto first = rt::kernel::make_pipe(0).value(), second = rt::kernel::make_pipe(O_CLOEXEC).value();
  const int kept[] = {second.read, first.write};
  CHECK(run({.keep = kept}, [&] {
          return open_descriptors() == std::vector<int>{first.write, second.read} ? 0 : 1;
        }) == 0);
  CHECK(run({.keep = std::span<const int>()}, [] { return open_descriptors().empty() ? 0 : 1; }) == 0);
  CHECK(run({}, [&] { return open_descriptors().size() == others + 4 ? 0 : 1; }) == 0);
}

RT_CASE("a process reads and writes pipes as its standard streams") {
  const std::size_t others = open_descriptors().size();
  rt::Process process(
      {.input = rt::Stream::pipe(), .output = rt::Stream::pipe(), .error = rt::Stream::same_as_output()}, [&] {
        char text[16];
        const auto size = rt::kernel::read_file(0, text).value();
        rt::println("read {}", std::string_view(text, size));
        rt::eprintln("{} more", open_descriptors().size() - others);
      });
  process.start().value();
  // A process that is started meanwhile keeps none of the pipes open.
  rt::Process other({.daemon = true}, [] { rt::sleep_for(20s); });
  other.start().value();
  rt::write_text("12", process.input().number(), false);
  process.input().close();
  CHECK(read_all(process.output()) == "read 12\n0 more\n");
  CHECK(!process.error());
  CHECK(exit_code_of(process) == 0);
}

RT_CASE("standard streams work where the parent has none, and their pipes are in nobody's way") {
  for (int number = 0; number < 2; ++number) rt::kernel::close_file(number).value();
  rt::Thread thread([] { // where a daemon needs a pipe of its own
    rt::Process process({.daemon = true, .input = rt::Stream::pipe(), .output = rt::Stream::pipe()}, [] {
      char text[8];
      rt::print("{}", 1);
      return rt::kernel::read_file(0, text).value() == 2 ? 0 : 1;
    });
    process.start().value();
    rt::write_text("12", process.input().number(), false);
    CHECK(read_all(process.output()) == "1");
    CHECK(exit_code_of(process) == 0);
    CHECK(run({.output = rt::Stream::null()}, [] { return rt::kernel::is_open(0) ? 1 : 0; }) == 0);
  });
  thread.start().value();
}

RT_CASE("standard streams may be exchanged, and may be nothing") {
  const auto pipe = rt::kernel::make_pipe(O_CLOEXEC).value();
  CHECK(run({.input = rt::Stream::null(), .output = rt::Stream::of(2), .error = rt::Stream::of(pipe.write)}, [] {
          rt::eprint("to the pipe");
          char text[8];
          return static_cast<int>(rt::kernel::read_file(0, text).value());
        }) == 0);
  CHECK(failure_of({.output = rt::Stream::of(99)}, [] {}) == rt::Errc::bad_file_descriptor);
  rt::kernel::close_file(pipe.write).value();
  CHECK(read_all(rt::Fd(pipe.read)) == "to the pipe");
}

RT_CASE("with namespaces a process is PID 1, root, and has names and networks of its own") {
  CHECK(run_in({.process_ids = true}, [] { return rt::kernel::process_id() == 1 ? 0 : 1; }));
  CHECK(run_in({.users = true},
               [] { return arch::syscall(__NR_geteuid) == 0 && arch::syscall(__NR_getegid) == 0 ? 0 : 1; }));
  CHECK(run_in({.process_ids = true, .network = true, .mounts = true, .users = true, .host_name = true}, [] {
    constexpr char name[] = "inside";
    return rt::kernel::process_id() == 1 && arch::syscall(__NR_sethostname, reinterpret_cast<long>(name), 6) == 0 ? 0
                                                                                                                  : 1;
  }));
}

RT_CASE("terminate() ends a PID 1 as well") {
  rt::Process process({.namespaces = {.process_ids = true}, .output = rt::Stream::pipe()}, [] {
    rt::println("runs");
    rt::sleep_for(20s);
  });
  if (!starts_in_namespaces(process)) return;
  char text[8];
  CHECK(rt::kernel::read_file(process.output().number(), text).value() == 5);
  process.terminate().value();
  CHECK(exit_code_of(process) == 128 + 15);
}

RT_CASE("another program gets its arguments, and its output and exit code come back") {
  rt::Process process =
      rt::Process::exec(own_program, {"name", "no case is called so"}, {.output = rt::Stream::pipe()}).value();
  CHECK(process.is_alive() || process.exit_code());
  CHECK(read_all(process.output()) == "0 passed, 0 failed\n");
  CHECK(exit_code_of(process) == 0);
}

RT_CASE("a program that cannot be executed is an error, and leaves nothing behind") {
  const auto before = open_descriptors();
  const auto exec = [](const char* path, const rt::ProcessOptions& options = {}) {
    return rt::Process::exec(path, {"x"}, options).error().code;
  };
  CHECK(exec("/no/such/program") == rt::Errc::no_such_file_or_directory);
  CHECK(exec("no-such-program") == rt::Errc::no_such_file_or_directory);
  CHECK(exec("/proc") == rt::Errc::permission_denied);
  CHECK(exec(own_program, {.directory = "/no/such/directory"}) == rt::Errc::no_such_file_or_directory);
  CHECK(exec(std::string(5000, 'x').c_str()) == rt::Errc::filename_too_long);
  CHECK(open_descriptors() == before);
  CHECK(arch::syscall(__NR_wait4, -1, 0, __WALL, 0) == -static_cast<long>(rt::Errc::no_child_process));
}

RT_CASE("a program is executed by fibers and threads as well, many at a time") {
  std::atomic<int> right = 0;
  const auto execute = [&right] {
    for (int i = 0; i < 4; ++i) {
      rt::Process process = rt::Process::exec(own_program, {"name", "none"}, {.output = rt::Stream::null()}).value();
      right += exit_code_of(process) == 0;
    }
  };
  const auto in_fibers = [&] {
    auto first = rt::spawn(execute), second = rt::spawn(execute);
    first.join();
    second.join();
  };
  {
    rt::Thread one(in_fibers), two(in_fibers), three(execute);
    one.start().value();
    two.start().value();
    three.start().value();
  }
  CHECK(right == 20);
}

RT_CASE("a program gets the environment that it is given, also from a process that was given it") {
  const char* const environment[] = {"PATH=/proc/self", "A=b", nullptr};
  // Found in PATH.
  rt::Process process =
      rt::Process::exec("exe", {"name", "none"}, {.environment = environment, .output = rt::Stream::null()}).value();
  CHECK(exit_code_of(process) == 0);
  CHECK(run({.environment = environment}, [&] {
          return rt::kernel::environment() == environment &&
                         rt::Process::exec("exe", {"name", "none"}, {.output = rt::Stream::null()})
                     ? 0
                     : 1;
        }) == 0);
}

RT_CASE("the status of a program that somebody else has taken is not known") {
  rt::Process process = rt::Process::exec(own_program, {"name", "none"}, {.output = rt::Stream::null()}).value();
  CHECK(arch::syscall(__NR_wait4, -1, 0, 0, 0) == process.pid());
  process.join();
  CHECK(!process.is_alive());
  CHECK(!process.exit_code());
}
