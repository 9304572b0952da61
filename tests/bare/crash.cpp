// Crash reports. The expected texts follow each other in one report, which each case checks for one part.

#include "check.hpp"

#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

using namespace std::chrono_literals;

namespace {

int* volatile nowhere = nullptr;

[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth == -1 ? 0 : recurse(depth + 1) + frame[0];
}

void run_in_thread(void (*body)()) {
  rt::Thread thread(rt::ThreadOptions{.name = "crasher", .stack_size = 65536}, body);
  CHECK(thread.start().ok());
  thread.join();
}

} // namespace

RT_CASE_ENDS("a null pointer is reported with its address", bare::by_signal(11),
             "crash: SIGSEGV (invalid memory access) at address 0x0\n  ") {
  *nowhere = 1;
}

RT_CASE_ENDS("a crash in a thread names the thread", bare::by_signal(11), "in thread 'crasher' (id ") {
  run_in_thread([] { *nowhere = 1; });
}

RT_CASE_ENDS("a crash shows where it was called", bare::by_signal(11),
             "called from (addr2line -Cfpe PROGRAM ADDRESS):\n    0x") {
  *nowhere = 1;
}

RT_CASE_ENDS("an overflow of a thread's stack says its size and what to raise", bare::by_signal(11),
             "bytes of the stack are used; recurse less, or raise ThreadOptions::stack_size") {
  run_in_thread([] { recurse(0); });
}

RT_CASE_ENDS("an overflow of the main stack is told apart from a wild access", bare::by_signal(11),
             "bytes of the stack are used; recurse less, or raise the limit (ulimit -s)") {
  rt::Thread linked_for_the_crash_reports([] {});
  recurse(0);
}

RT_CASE_ENDS("an invalid instruction is reported", bare::by_signal(4), "crash: SIGILL (invalid instruction)") {
  asm volatile(".long 0xffffffff"); // invalid on every CPU here
}

RT_CASE_ENDS("a signal that was sent is reported and still kills", bare::by_signal(8),
             "crash: SIGFPE (arithmetic error)\n") {
  rt::arch::syscall(__NR_tgkill, rt::arch::syscall(__NR_getpid), rt::arch::syscall(__NR_gettid), 8);
}

RT_CASE_ENDS("an access beyond the end of a mapped file is reported", bare::by_signal(7), "crash: SIGBUS") {
  constexpr long read_only = 1, shared = 1;
  const long file = rt::arch::syscall(__NR_memfd_create, reinterpret_cast<long>("empty"), 0);
  const long page = rt::arch::syscall(__NR_mmap, 0, 4096, read_only, shared, file, 0);
  CHECK(*reinterpret_cast<volatile char*>(page) == 0);
}
