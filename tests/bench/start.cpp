// From exec to exit: hello against the same in assembly, started in turns. The directory of the apps is the argument.

#include "measure.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace {

double start_once(const std::string& program) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  char* arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  pid_t child;
  int status;
  const double begin = bench::seconds();
  if (posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ) != 0) std::exit(1);
  waitpid(child, &status, 0);
  const double elapsed = bench::seconds() - begin;
  posix_spawn_file_actions_destroy(&actions);
  return elapsed * 1e6;
}

// The least that a program can do: write(2) and exit(2).
std::string build_assembly(const std::string& directory) {
  const std::string name = directory + "/hello_assembly";
  std::ofstream(name + ".S") << R"(
        .globl _start
_start: mov $1, %eax
        mov %eax, %edi
        lea text(%rip), %rsi
        mov $6, %edx
        syscall
        mov $231, %eax
        xor %edi, %edi
        syscall
text:   .ascii "hello\n"
        .section .note.GNU-stack, "", @progbits
)";
  const std::string command = "gcc -nostdlib -static -s -Wl,--build-id=none " + name + ".S -o " + name;
  if (std::system(command.c_str()) != 0) std::exit(1);
  return name;
}

} // namespace

int main(int argc, char** argv) {
  const std::string apps = argc > 1 ? argv[1] : "build/x86_64/bare/apps";
  const std::string assembly = build_assembly(apps + "/..");
  bench::pin_to_cpu(0);
  bench::compare("exec to exit", "us",
                 {{"assembly", [&] { return start_once(assembly); }},
                  {"hello", [&] { return start_once(apps + "/hello.stripped"); }},
                  {"hello_thread", [&] { return start_once(apps + "/hello_thread.stripped"); }}},
                 2001);
}
