// Processes started and joined one after the other: `process KIND COUNT [MIB]` prints the nanoseconds of one. MIB of
// heap are written to before. tests/bench/process.cpp runs it in turns with others.
//
//   clone     nothing but clone(2), exit(2) and waitid(2)
//   rt        rt::Process
//   exec      rt::Process::exec of this program as `nothing`
//   nothing   ends at once

#include <rt/base/panic.hpp>
#include <rt/base/print.hpp>
#include <rt/process/process.hpp>

#include <arch/syscall.hpp>
#include <linux/wait.h>

#include <algorithm>
#include <memory>

namespace {

void clone_and_wait() {
  const long child = rt::arch::syscall(__NR_clone, 0, 0, 0, 0, 0);
  if (child == 0)
    for (;;) rt::arch::syscall(__NR_exit_group, 0);
  if (child < 0) rt::panic("clone: {}", rt::Error::from_kernel(child));
  int status = 0;
  if (rt::arch::syscall(__NR_wait4, child, reinterpret_cast<long>(&status), __WALL, 0) != child) rt::panic("no child");
}

void start_and_join() {
  rt::Process process([] {});
  process.start().value();
  process.join();
}

void execute_and_join(const char* program) { rt::Process::exec(program, {program, "nothing"}).value().join(); }

unsigned number_of(const char* text) {
  unsigned number = 0;
  for (; *text; ++text) number = number * 10 + static_cast<unsigned>(*text - '0');
  return number;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "nothing";
  if (kind == "nothing") return 0;
  const unsigned count = std::max(argc > 2 ? number_of(argv[2]) : 1, 1u);
  const std::size_t size = std::size_t{argc > 3 ? number_of(argv[3]) : 0} << 20;
  const auto heap = std::make_unique_for_overwrite<char[]>(size);
  for (std::size_t i = 0; i < size; i += 4096) heap[i] = 1;

  const auto begin = rt::Clock::now();
  for (unsigned i = 0; i < count; ++i) {
    if (kind == "clone")
      clone_and_wait();
    else if (kind == "rt")
      start_and_join();
    else
      execute_and_join(argv[0]);
  }
  rt::println("{}", (rt::Clock::now() - begin).count() / count);
}
