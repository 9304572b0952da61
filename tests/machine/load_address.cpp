// Prints where the kernel puts a program: "load address 0x...". Where addresses are not random it is the same each
// time, so a debugger can be told before the program starts.
//
//   load_address PROGRAM

#include <rt/base/print.hpp>
#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>

#include <algorithm>
#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/ptrace.h>
#include <linux/wait.h>

using namespace rt::kernel;

namespace {

// Starts the program, which the tracer's signal stops before its first instruction.
rt::Result<ProcessId> start_stopped(const char* const* argv, const char* const* environment) {
  const auto child = fork();
  if (!child || *child != 0) return child;
  rt::arch::syscall(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0);
  rt::eprintln("load_address: cannot run {}: {}", argv[0], execute(argv[0], argv, environment));
  exit_process(126);
}

// The address of a file's lowest mapping in a process, in hexadecimal digits: what /proc/PID/maps begins the first line
// with that ends with the file's path. (The vDSO may lie below.)
rt::Result<std::string_view> lowest_mapping(ProcessId process, std::string_view file_path, std::span<char> buffer) {
  char path[32];
  rt::Output out(std::span<char>(path, sizeof path - 1));
  rt::format_to(out, "/proc/{}/maps", process);
  path[out.text().size()] = '\0';
  const auto file = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file) return file.error();
  const auto size = read_file(*file, buffer);
  (void)close_file(*file);
  if (!size) return size.error();
  std::string_view text(buffer.data(), *size);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.ends_with(file_path)) return line.substr(0, line.find('-'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return rt::Errc::no_such_file_or_directory;
}

} // namespace

int main(int argc, char** argv, char** environment) {
  if (argc != 2) {
    rt::eprintln("usage: load_address PROGRAM");
    return 2;
  }
  const auto child = start_stopped(argv + 1, environment);
  if (!child) {
    rt::eprintln("load_address: cannot start a process: {}", child.error());
    return 1;
  }
  const auto change = wait_for_child(*child, WUNTRACED);
  if (!change || !change->status.stopped()) return 1; // the child has said why
  char buffer[4096];                                  // nothing but the program, its stack and the vDSO is mapped yet
  const auto address = lowest_mapping(*child, argv[1], buffer);
  (void)send_signal(*child, Signal::sigkill);
  (void)wait_for_child(*child);
  if (!address) {
    rt::eprintln("load_address: cannot read the mappings of {}: {}", argv[1], address.error());
    return 1;
  }
  rt::println("load address 0x{}", *address);
}
