#include <rt/sync/thread_report.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/interrupted.hpp>
#include <rt/base/print.hpp>
#include <rt/kernel/futex.hpp>
#include <rt/kernel/signal.hpp>
#include <rt/sync/lock.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <signal.h>

#include <cstring>

namespace rt::reporting {
namespace {

using kernel::Sharing;

// Any real-time signal that neither libc nor qemu-user keeps for itself.
constexpr int report_signal = 60;
constexpr long signal_set_size = 8;
constexpr auto patience = std::chrono::seconds(2);

// One thread is asked at a time. Numbers tell an answer in time from one to an earlier question.
RT_FORK_DATA(50) constinit std::atomic<std::uint32_t> asking = 0;
constinit std::atomic<std::uint32_t> question = 0, answered = 0;
constinit std::atomic<std::uint32_t> wanted = 0;

// A word: riscv64 has no atomic instructions for less.
RT_FORK_DATA(50) constinit std::atomic<std::uint32_t> reporting_all = 0;

long own_process() { return arch::syscall(__NR_getpid); }
TaskId own_thread() { return static_cast<TaskId>(arch::syscall(__NR_gettid)); }

// Sleeps until the word has that value; false: it has not within the time.
bool wait_for(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  const Deadline deadline = Deadline::after(patience);
  for (std::uint32_t now; (now = word.load(std::memory_order_acquire)) != value;)
    if (kernel::futex_wait(word, now, deadline, Sharing::private_to_process) == Errc::timed_out)
      return word.load(std::memory_order_acquire) == value;
  return true;
}

void set_and_wake(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value, std::memory_order_release);
  kernel::futex_wake(word, everybody, Sharing::private_to_process);
}

void answer(int, const siginfo_t* info, const arch::SignalFrame* frame) {
  if (info->si_code != SI_QUEUE || info->si_pid != own_process()) return;
  const auto number = static_cast<std::uint32_t>(info->si_value.sival_int);
  if (number != question.load(std::memory_order_acquire)) return; // nobody waits for it any more
  report_this_thread(wanted.load(std::memory_order_relaxed), InterruptedFrames(*frame).frame_pointer(),
                     arch::stack_pointer(*frame));
  set_and_wake(answered, number);
}

// The address of the handler, or what stands for none. (kernel::SignalAction has room for what qemu-user writes.)
constexpr std::uintptr_t by_default = 0, ignored = 1;
std::uintptr_t handler_of(int signal) {
  kernel::SignalAction action;
  arch::syscall(__NR_rt_sigaction, signal, 0, reinterpret_cast<long>(&action), signal_set_size);
  return action.handler;
}

bool set_action(int signal, decltype(arch::SignalAction::handler) handler) {
  const arch::SignalAction action = arch::signal_action(handler, SA_SIGINFO | SA_ONSTACK | SA_RESTART);
  return arch::syscall(__NR_rt_sigaction, signal, reinterpret_cast<long>(&action), 0, signal_set_size) == 0;
}

// The signal stays with a program that uses it for something else.
bool can_ask() {
  const std::uintptr_t handler = handler_of(report_signal);
  return handler == reinterpret_cast<std::uintptr_t>(answer) ||
         (handler == by_default && set_action(report_signal, answer));
}

bool ask(TaskId thread, std::uint32_t which) {
  const std::uint32_t number = question.load(std::memory_order_relaxed) + 1;
  wanted.store(which, std::memory_order_relaxed);
  question.store(number, std::memory_order_release);
  siginfo_t info{};
  info.si_signo = report_signal;
  info.si_code = SI_QUEUE;
  info.si_pid = static_cast<pid_t>(own_process());
  info.si_value.sival_int = static_cast<int>(number);
  const bool sent = arch::syscall(__NR_rt_tgsigqueueinfo, own_process(), static_cast<long>(thread), report_signal,
                                  reinterpret_cast<long>(&info)) == 0;
  const bool in_time = sent && wait_for(answered, number);
  question.store(number + 1, std::memory_order_release);
  return in_time;
}

// A thread whose Task is not filled has its name in the kernel only.
void write_thread(Output& out) {
  const Task& task = this_thread_task;
  char kernel_name[16] = {};
  constexpr long get_name = 16; // PR_GET_NAME
  if (task.id == 0) arch::syscall(__NR_prctl, get_name, reinterpret_cast<long>(kernel_name));
  format_to(out, "  thread '{}' (id {})", task.id == 0 ? kernel_name : task.name.data(), own_thread());
}

// Calls `visit` for each thread of the process; false: there is no /proc.
template <class Visit> bool visit_threads(Visit visit) {
  struct Entry { // struct linux_dirent64
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
  };
  static constexpr char path[] = "/proc/self/task";
  const long directory =
      arch::syscall(__NR_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return false;
  alignas(Entry) char entries[512];
  for (long size;
       (size = arch::syscall(__NR_getdents64, directory, reinterpret_cast<long>(entries), sizeof entries)) > 0;)
    for (long at = 0; at < size;) {
      const auto& entry = *reinterpret_cast<const Entry*>(entries + at);
      TaskId id = 0;
      for (const char* digit = entry.name; *digit >= '0' && *digit <= '9'; ++digit)
        id = id * 10 + static_cast<TaskId>(*digit - '0');
      if (id != 0) visit(id); // not "." and ".."
      at += entry.size;
    }
  arch::syscall(__NR_close, directory);
  return true;
}

void report_all_threads(int, const siginfo_t*, const arch::SignalFrame* frame) {
  if (reporting_all.exchange(1) != 0) return; // a report is on its way
  eprintln("threads and fibers of process {} (SIGQUIT):", own_process());
  report_this_thread(all_flows, InterruptedFrames(*frame).frame_pointer(), arch::stack_pointer(*frame));
  const bool found = visit_threads([](TaskId thread) {
    if (thread != own_thread() && !ask_thread(thread, all_flows))
      eprintln("  thread {} has ended, or does not answer: it blocks signal {}, or the program uses that", thread,
               report_signal);
  });
  if (!found) eprintln("  other threads are not known: there is no /proc");
  reporting_all.store(0);
}

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_reports() {
  if (asking.load(std::memory_order_relaxed) != 0) asking.store(0, std::memory_order_relaxed);
  if (reporting_all.load(std::memory_order_relaxed) != 0) reporting_all.store(0, std::memory_order_relaxed);
}
RT_IN_FORKED(20, rt_fork_reports);

void write_wait(Output& out, const Task& task, const Waiter* waiter) {
  if (const Word* lock = task.lock.load(std::memory_order_relaxed)) {
    format_to(out, " waits for lock {}", static_cast<const void*>(lock));
    if (const TaskId owner = Lock::owner_of(lock->load(std::memory_order_relaxed)))
      format_to(out, ", which task {} holds", owner);
  } else if (waiter && waiter->key) {
    format_to(out, " waits on the word {}", static_cast<const void*>(waiter->key));
  } else {
    out.put_literal(" waits");
  }
  if (!waiter) return;
  const std::chrono::nanoseconds time = Clock::now().time_since_epoch() - std::chrono::nanoseconds(waiter->since);
  format_to(out, ", for {} so far", std::chrono::floor<std::chrono::milliseconds>(time));
}

void report_this_thread(std::uint32_t which, const void* frames, std::uintptr_t stack_pointer) {
  if (hub::running_flow)
    return hub::flow_operations.load(std::memory_order_relaxed)->report(which, frames, stack_pointer);
  char buffer[2048];
  Output out{std::span<char>(buffer)};
  write_thread(out);
  const Waiter* const waiter = parked_thread;
  if (waiter)
    write_wait(out, this_thread_task, waiter);
  else
    out.put_literal(" runs, or is in a system call");
  out.put_literal("\n");
  write_backtrace(out, frames);
  write_text(out.text(), 2, false);
}

bool ask_thread(TaskId thread, std::uint32_t which) {
  if (!can_ask()) return false;
  // What runs in a handler of this thread meanwhile must not ask, too; but this thread may be asked.
  const auto may_ask = kernel::SignalSet(static_cast<kernel::Signal>(report_signal));
  const kernel::SignalSet before =
      kernel::block_signals(kernel::SignalSet::all().without(kernel::fault_signals).without(may_ask));
  const Deadline deadline = Deadline::after(patience);
  bool asked = false;
  for (std::uint32_t expected = 0; !asked; expected = 0) {
    asked = asking.compare_exchange_strong(expected, 1, std::memory_order_acquire);
    if (!asked && kernel::futex_wait(asking, 1, deadline, Sharing::private_to_process) == Errc::timed_out) break;
  }
  if (asked) {
    asked = ask(thread, which);
    set_and_wake(asking, 0);
  }
  kernel::block_signals(before);
  return asked;
}

void report_task(TaskId task) {
  TaskId thread = task;
  const auto* const operations = hub::flow_operations.load(std::memory_order_relaxed);
  if (task >= first_fiber_id) thread = operations ? operations->thread_of(task) : 0;
  if (thread == own_thread())
    report_this_thread(task, __builtin_frame_address(0), reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  else if (thread == 0 || !ask_thread(thread, task))
    eprintln("  task {} does not answer: its thread blocks signals", task);
}

} // namespace rt::reporting

namespace rt {

void report_on_quit() {
  // What a shell's script starts in the background begins with the signal ignored.
  const std::uintptr_t handler = reporting::handler_of(SIGQUIT);
  const bool own = handler != reporting::by_default && handler != reporting::ignored;
  if (!own) reporting::set_action(SIGQUIT, reporting::report_all_threads);
}

} // namespace rt
