#pragma once
// Tests that run without libc: cases are registered by static constructors, and each runs in a process of its own, so
// that a crash, a panic or an exit is one case's result and can also be what the case expects.
//
//   RT_CASE("an event that is set releases its waiter") { CHECK(event.is_set()); }
//   RT_CASE_ENDS("a null pointer ends in a report", by_signal(11), "SIGSEGV") { ... }
//
// The program prints "ok NAME" or "FAILED NAME: why" for each case, and at the end "N passed, N failed". With a text
// as argument it runs only the cases whose names contain it. Nothing but the kernel is needed, so it also runs where
// there is nothing else: in a machine, all test programs are linked into one, which init starts.

#include <rt/base/print.hpp>

#include <arch/syscall.hpp>
#include <linux/wait.h>

namespace bare {

struct Ending {
  int status; // as wait4(2) reports it
};
constexpr Ending by_exit(int code) { return {code << 8}; }
constexpr Ending by_signal(int number) { return {number}; }

struct Case {
  const char* name;
  void (*body)();
  Ending ending;
  std::string_view output; // what its standard error has to contain
  Case* next = nullptr;

  static inline constinit Case* first = nullptr;
  static inline constinit Case** last = &first;

  Case(const char* case_name, void (*function)(), Ending end = by_exit(0), std::string_view text = {})
      : name(case_name), body(function), ending(end), output(text) {
    *last = this;
    last = &next;
  }
};

[[noreturn]] inline void fail(const char* file, int line, const char* condition) {
  rt::eprintln("{}:{}: not true: {}", file, line, condition);
  for (;;) rt::arch::syscall(__NR_exit_group, 99);
}

inline bool same_signal(int status, Ending ending) { return (status & ~0x80) == ending.status; } // 0x80: core dumped

/// Runs the case in a child process, its standard error in a pipe; true: it ended as it should.
inline bool run(const Case& test) {
  int pipe[2];
  rt::arch::syscall(__NR_pipe2, reinterpret_cast<long>(pipe), 0);
  constexpr long sigchld = 17;
  const long child = rt::arch::syscall(__NR_clone, sigchld, 0, 0, 0, 0);
  if (child == 0) {
    rt::arch::syscall(__NR_dup3, pipe[1], 2, 0);
    rt::arch::syscall(__NR_close, pipe[0]);
    rt::arch::syscall(__NR_close, pipe[1]);
    test.body();
    rt::arch::syscall(__NR_exit_group, 0);
  }
  rt::arch::syscall(__NR_close, pipe[1]);
  static char text[16 * 1024];
  std::size_t size = 0;
  for (long got; size < sizeof text && (got = rt::arch::syscall(__NR_read, pipe[0], reinterpret_cast<long>(text + size),
                                                                static_cast<long>(sizeof text - size))) > 0;)
    size += static_cast<std::size_t>(got);
  rt::arch::syscall(__NR_close, pipe[0]);
  int status = -1;
  rt::arch::syscall(__NR_wait4, child, reinterpret_cast<long>(&status), 0, 0);

  const std::string_view output(text, size);
  const bool ended = same_signal(status, test.ending), said = output.find(test.output) != output.npos;
  if (ended && said) {
    rt::println("ok {}", test.name);
  } else {
    rt::println("FAILED {}: status {:#x} instead of {:#x}{}{}", test.name, status, test.ending.status,
                said ? "" : ", and it did not say: ", said ? std::string_view() : test.output);
    rt::println("{}", output);
  }
  return ended && said;
}

inline int run_all(std::string_view filter) {
  int passed = 0, failed = 0;
  for (const Case* test = Case::first; test; test = test->next)
    if (std::string_view(test->name).find(filter) != std::string_view::npos) ++(run(*test) ? passed : failed);
  rt::println("{} passed, {} failed", passed, failed);
  return failed == 0 ? 0 : 1;
}

} // namespace bare

#define BARE_JOIN2(a, b) a##b
#define BARE_JOIN(a, b) BARE_JOIN2(a, b)
#define RT_CASE_ENDS(name, ...)                                                                                        \
  static void BARE_JOIN(case_, __LINE__)();                                                                            \
  static bare::Case BARE_JOIN(registered_, __LINE__)(name, BARE_JOIN(case_, __LINE__), __VA_ARGS__);                   \
  static void BARE_JOIN(case_, __LINE__)()
#define RT_CASE(name) RT_CASE_ENDS(name, bare::by_exit(0))
#define CHECK(condition) ((condition) ? void() : bare::fail(__FILE__, __LINE__, #condition))

// Weak, because one program may hold the cases of several files.
[[gnu::weak]] int main(int argc, char** argv) { return bare::run_all(argc > 1 ? argv[1] : ""); }
