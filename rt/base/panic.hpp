#pragma once
// panic: the program itself is wrong, and going on would only hide where.

#include <rt/base/atomic.hpp>
#include <rt/base/format.hpp>

namespace rt {

namespace arch {
struct Frame;
}

namespace panicking {

/// A report under construction, on the stack of the task that fails: nothing is allocated.
class Report {
 public:
  explicit Report(std::string_view title);
  Output& out() { return out_; }
  /// Adds the task and the backtrace from `frame` on, and writes the whole to standard error in one call.
  void write(const void* frame);

 private:
  char buffer_[3072];
  Output out_;
};

/// Writes the report and ends the process.
[[noreturn]] void finish(Report& report);

[[noreturn]] void panic_with_text(std::string_view text);

/// Whether the frame can be read: a broken chain of frames ends a backtrace rather than the report.
bool readable(const arch::Frame* frame);

template <class... A>
[[noreturn, gnu::noinline, gnu::cold]] void panic_with_arguments(format_string<A...> format, const A&... arguments) {
  Report report("panic: ");
  format_to<A...>(report.out(), format, arguments...);
  finish(report);
}

} // namespace panicking

/// Prints the message, the task and a backtrace on standard error in one write, and ends the process with SIGABRT. The
/// message says what was wrong and what to do. May be called in signal handlers.
template <class... A>
[[noreturn, gnu::always_inline]] inline void panic(format_string<A...> format, const A&... arguments) {
  if (format.plain()) panicking::panic_with_text(format.text()); // without the formatter
  panicking::panic_with_arguments<A...>(format, arguments...);
}

/// Writes where the chain of frames that starts at the frame pointer `frame` was called from, one a line, as the
/// addresses of the program as linked, which addr2line(1) understands wherever the program lies.
void write_backtrace(Output& out, const void* frame);

/// Writes "thread 'name' (id 1234)" for the calling thread, and before that which of its fibers runs.
void write_current_task(Output& out);

/// Writes "fiber 'name' (id 4194304) of " when a fiber runs; the hub's, if there is one.
using FiberWriter = void(Output& out);
[[gnu::visibility("hidden")]] extern Atomic<FiberWriter*> write_current_fiber;

/// Ends the process by SIGABRT, even where that is ignored, blocked or handled (POSIX abort(3)).
[[noreturn]] void abort();

} // namespace rt
