#include <rt/base/panic.hpp>

#include <rt/base/digits.hpp>
#include <rt/base/print.hpp>
#include <rt/base/task.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <asm/errno.h>

extern "C" {
[[gnu::visibility("hidden")]] extern const char __ehdr_start[], _end[]; // the program's image, by the linker
}

namespace rt {
namespace {

constexpr int sigabrt = 6, sig_unblock = 1; // <asm/signal.h> and libc's <signal.h> exclude each other

// Both words, which lie in one page as frames are aligned to 16 bytes. rt_sigprocmask reads its set before it finds
// that `how` is invalid, and says EFAULT where a load would have crashed.
[[gnu::always_inline]] inline bool is_readable(const arch::Frame* frame) {
  if (reinterpret_cast<std::uintptr_t>(frame) % alignof(arch::Frame) != 0) return false;
  constexpr long invalid_how = -1, set_size = 8;
  return arch::syscall(__NR_rt_sigprocmask, invalid_how, reinterpret_cast<long>(frame), 0, set_size) != -EFAULT;
}

} // namespace

bool panicking::readable(const arch::Frame* frame) { return is_readable(frame); }

void write_backtrace(Output& out, const void* frame_pointer) {
  constexpr int most = 40, by_hand = 2;
  const auto image = reinterpret_cast<std::uintptr_t>(__ehdr_start), end = reinterpret_cast<std::uintptr_t>(_end);
  out.put_literal("  called from (addr2line -Cfpe PROGRAM ADDRESS):\n");
  for (int depth = 0; depth < most; ++depth) {
    const arch::Frame* frame = arch::frame_record(frame_pointer);
    if (!is_readable(frame)) return;
    const std::uintptr_t address = frame->return_address - 1; // inside the call, not after it
    const bool inside = address >= image && address < end;
    if (inside || frame->return_address != 0) {
      out.put_literal("    ");
      put_hexadecimal(out, inside ? address - image : address);
      if (!inside) out.put_literal(" (elsewhere)");
      out.put_literal("\n");
    }
    // Callers lie higher up, but those of records that were made by hand, which lie anywhere.
    if (depth >= by_hand && arch::frame_record(frame->caller) <= frame) return;
    frame_pointer = frame->caller;
  }
  out.put_literal("    ...\n");
}

constinit Atomic<FiberWriter*> write_current_fiber = nullptr;

void write_current_task(Output& out) {
  if (FiberWriter* write = write_current_fiber.load(std::memory_order_relaxed)) write(out);
  out.put_literal("thread '");
  const char* name = this_thread_task.name.data();
  if (*name == 0) name = "main"; // not adopted yet
  while (*name) out.put(*name++);
  out.put_literal("' (id ");
  put_decimal(out, static_cast<std::uint64_t>(arch::syscall(__NR_gettid)));
  out.put_literal(")");
}

void abort() {
  constexpr long set_size = 8;
  const unsigned long mask = 1ul << (sigabrt - 1);
  const unsigned long default_action[4] = {}; // the kernel's struct sigaction: SIG_DFL, no flags, no mask
  arch::syscall(__NR_rt_sigaction, sigabrt, reinterpret_cast<long>(default_action), 0, set_size);
  arch::syscall(__NR_rt_sigprocmask, sig_unblock, reinterpret_cast<long>(&mask), 0, set_size);
  arch::syscall(__NR_tgkill, arch::syscall(__NR_getpid), arch::syscall(__NR_gettid), sigabrt);
  for (;;) arch::syscall(__NR_exit_group, 128 + sigabrt);
}

namespace panicking {

Report::Report(std::string_view title) : out_(std::span<char>(static_cast<char*>(buffer_), sizeof buffer_)) {
  out_.put(title);
}

void Report::write(const void* frame) {
  out_.put_literal("\n  in ");
  write_current_task(out_);
  out_.put_literal("\n");
  write_backtrace(out_, frame);
  write_text(out_.text(), 2, false);
}

void finish(Report& report) {
  report.write(__builtin_frame_address(0));
  abort();
}

void panic_with_text(std::string_view text) {
  Report report("panic: ");
  report.out().put(text);
  finish(report);
}

} // namespace panicking
} // namespace rt
