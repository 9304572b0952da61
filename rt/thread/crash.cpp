// Crash reports: SIGSEGV, SIGBUS, SIGFPE and SIGILL say what happened, in which thread, and show the registers and a
// backtrace, before the signal kills the process as it would have done without the report.
//
// Nothing refers to this file. The compiler wrapper asks for it by name (-u rt_report_crashes), so every program has it
// that does not want to be as small as possible.

#include <rt/base/digits.hpp>
#include <rt/base/hook.hpp>
#include <rt/base/interrupted.hpp>
#include <rt/base/panic.hpp>
#include <rt/base/task.hpp>
#include <rt/thread/block.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <signal.h>
#include <sys/resource.h>

namespace rt {
namespace {

constexpr long signal_set_size = 8;

RT_LARGE_DATA alignas(16) constinit char main_signal_stack[16 * 1024];

// Bytes that the calling thread's stack may have. The main thread's grows on demand, down to the limit.
std::size_t stack_size() {
  const Task& task = current_task_as_it_is();
  if (task.stack_size != 0) return task.stack_size;
  if (const auto* block = task.block) return static_cast<std::size_t>(block->stack_top - block->mapping.stack_begin());
  struct {
    std::uint64_t current, most;
  } limit{};
  arch::syscall(__NR_prlimit64, 0, RLIMIT_STACK, 0, reinterpret_cast<long>(&limit));
  return limit.current;
}

void describe(Output& out, int signal, const siginfo_t& info) {
  static constexpr char kinds[][36] = {"SIGSEGV (invalid memory access)", "SIGBUS (access beyond mapped data)",
                                       "SIGFPE (arithmetic error)", "SIGILL (invalid instruction)"};
  const char* kind = kinds[signal == SIGSEGV ? 0 : signal == SIGBUS ? 1 : signal == SIGFPE ? 2 : 3];
  out.put(std::string_view(kind));
  if (info.si_code <= 0) return; // sent by kill(2): there is no address
  out.put_literal(" at address ");
  put_hexadecimal(out, reinterpret_cast<std::uintptr_t>(info.si_addr));
}

// The current frame, from the stack pointer to the frame pointer, and what is about to be pushed below it can fault
// only where the stack cannot grow any more. A large frame reaches far below the last page.
bool is_stack_overflow(int signal, std::uintptr_t address, const arch::SignalFrame& frame) {
  constexpr std::uintptr_t reach = 64 * 1024;
  const std::uintptr_t stack_pointer = arch::stack_pointer(frame), frame_pointer = arch::frame_pointer(frame);
  const bool has_frame = frame_pointer > stack_pointer && frame_pointer - stack_pointer < reach;
  return signal == SIGSEGV && address >= stack_pointer - reach &&
         address <= (has_frame ? frame_pointer : stack_pointer);
}

void describe_overflow(Output& out, std::size_t size, std::uintptr_t address) {
  out.put_literal("stack overflow: all ");
  put_decimal(out, size);
  out.put_literal(" bytes of the stack are used; recurse less, or raise ");
  const Task& task = current_task_as_it_is();
  if (task.id >= first_fiber_id)
    out.put_literal("FiberOptions::stack_size");
  else if (task.block)
    out.put_literal("ThreadOptions::stack_size");
  else
    out.put_literal("the limit (ulimit -s)");
  out.put_literal(" (SIGSEGV at address ");
  put_hexadecimal(out, address);
  out.put_literal(")");
}

void write_registers(Output& out, const arch::SignalFrame& frame) {
  for (unsigned i = 0; i < arch::register_count; ++i) {
    out.put(i % 4 ? std::string_view("  ", 2) : std::string_view("\n  ", 3));
    out.put({arch::register_names + 4 * i, 4});
    put_hexadecimal(out, frame.registers[i], 16);
  }
}

void use_signal_stack(void* memory, std::size_t size) {
  const stack_t stack{memory, 0, size};
  arch::syscall(__NR_sigaltstack, reinterpret_cast<long>(&stack), 0);
}

void set_action(int signal, const arch::SignalAction& action) {
  arch::syscall(__NR_rt_sigaction, signal, reinterpret_cast<long>(&action), 0, signal_set_size);
}

void report_crash(int signal, const siginfo_t* info, const arch::SignalFrame* frame) {
  // First of all: whatever goes wrong from here on kills the process in the ordinary way.
  set_action(signal, {});
  panicking::Report report("crash: ");
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (is_stack_overflow(signal, address, *frame))
    describe_overflow(report.out(), stack_size(), address);
  else
    describe(report.out(), signal, *info);
  write_registers(report.out(), *frame);
  report.write(InterruptedFrames(*frame).frame_pointer());
  // A fault happens again when the handler returns; a signal that was sent has to be sent again.
  if (info->si_code <= 0) arch::syscall(__NR_tgkill, arch::syscall(__NR_getpid), arch::syscall(__NR_gettid), signal);
}

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_use_signal_stack() {
  // Below the thread's stack and its guard (rt/memory/stack.hpp).
  use_signal_stack(this_thread_task.block->mapping.begin, memory::signal_stack_size);
}

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_report_crashes(const InitialStack&) {
  use_signal_stack(main_signal_stack, sizeof main_signal_stack);
  const arch::SignalAction action = arch::signal_action(report_crash, SA_SIGINFO | SA_ONSTACK);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) set_action(signal, action);
}
#if !RT_HOSTED // there the program's own handlers, or a sanitizer's, come first
RT_AT_START(20, rt_report_crashes);
RT_AT_THREAD_START(20, rt_use_signal_stack);
#endif

} // namespace rt
