// Starting a process and joining it: rt::Process against clone(2) and nothing else, glibc's fork and posix_spawn, and
// Python. What is rt's is measured by a program of the bare profile, tests/bench/bare/process.cpp; the others in
// processes of their own, too, so that all begin alike.

#include "measure.hpp"

#include <cstring>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>

namespace {

constexpr int count = 300;       // short turns: a noisy machine changes its speed for longer than one
constexpr int large_heap = 1024; // MiB

std::string program;

void wait_for(pid_t child) {
  if (waitpid(child, nullptr, 0) != child) std::exit(1);
}

void fork_and_wait() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  wait_for(child);
}

void spawn_and_wait() {
  pid_t child;
  const char* const argv[] = {program.c_str(), "nothing", nullptr};
  if (posix_spawn(&child, argv[0], nullptr, nullptr, const_cast<char**>(argv), environ) != 0) std::exit(1);
  wait_for(child);
}

void fork_execute_and_wait() {
  const pid_t child = fork();
  if (child == 0) {
    execl(program.c_str(), program.c_str(), "nothing", nullptr);
    _exit(127);
  }
  wait_for(child);
}

int measure_glibc(const std::string& kind, int times, std::size_t mebibytes) {
  const std::size_t size = mebibytes << 20;
  const auto heap = std::make_unique_for_overwrite<char[]>(size);
  for (std::size_t i = 0; i < size; i += 4096) heap[i] = 1;
  const double begin = bench::seconds();
  for (int i = 0; i < times; ++i)
    kind == "fork" ? fork_and_wait() : kind == "spawn" ? spawn_and_wait() : fork_execute_and_wait();
  std::printf("%f\n", (bench::seconds() - begin) / times * 1e9);
  return 0;
}

double microseconds(const std::string& command) { return bench::measured_by(command) / 1000; }

} // namespace

int main(int argc, char** argv) {
  program = bench::beside_this_program("../../../bare/tests/bench/bare/process");
  if (argc > 3) return measure_glibc(argv[1], std::atoi(argv[2]), static_cast<std::size_t>(std::atoi(argv[3])));
  const std::string own = bench::beside_this_program("process");
  const auto rt = [&](const std::string& kind, int mebibytes = 0, int times = count) {
    return microseconds(program + " " + kind + " " + std::to_string(times) + " " + std::to_string(mebibytes));
  };
  const auto glibc = [&](const std::string& kind, int mebibytes = 0, int times = count) {
    return microseconds(own + " " + kind + " " + std::to_string(times) + " " + std::to_string(mebibytes));
  };

  bench::compare("process start and join", "us",
                 {{"clone(2), exit(2), wait4(2)", [&] { return rt("clone"); }},
                  {"rt::Process", [&] { return rt("rt"); }, bench::at_most_of_the_first(1.1)},
                  {"glibc fork", [&] { return glibc("fork"); }}},
                 101);
  bench::compare(
      "the same in Python", "us",
      {{"rt::Process", [&] { return rt("rt"); }},
       {"multiprocessing.Process", [&] { return bench::measured_by("python3 tests/bench/processes.py 50"); }}},
      5);
  bench::compare("execution of a static program", "us",
                 {{"rt::Process::exec", [&] { return rt("exec"); }},
                  {"posix_spawn", [&] { return glibc("spawn"); }},
                  {"fork and exec", [&] { return glibc("exec"); }}},
                 15);
  // Many times here as well: the first ones after so many writes are slow, whoever makes them.
  constexpr int few = 10;
  bench::compare("what 1 GiB of heap adds to that", "us",
                 {{"rt::Process::exec", [&] { return rt("exec", large_heap) - rt("exec"); }, bench::at_most(80)},
                  {"posix_spawn", [&] { return glibc("spawn", large_heap) - glibc("spawn"); }},
                  {"fork and exec", [&] { return glibc("exec", large_heap, few) - glibc("exec", 0, few); }}},
                 31);
}
