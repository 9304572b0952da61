#pragma once
// Reports on threads: what each flow of a thread waits for, since when, and where it stands.
//
//   threads and fibers of process 4711 (SIGQUIT):
//     thread 'main' (id 4711) waits, for 1.5s so far
//     called from (addr2line -Cfpe PROGRAM ADDRESS):
//       0x1a2b
//     fiber 'reader' (id 4194304) waits for lock 0x7ffc1200, which task 4712 holds, for 20ms so far; at most 1s more
//     ...
//
// Where a thread stands is known to that thread alone, and its fibers may be looked at by no other while it runs. So it
// writes its report itself, in a signal handler: the thread that wants to know sends it a real-time signal and waits
// until it has answered. It goes on as if nothing had happened; of its system calls those that signal(7) lists as never
// restarted end early, as with any handled signal.
//
// All of it may be called in signal handlers: nothing is allocated or locked that others lock.

#include <rt/base/format.hpp>
#include <rt/base/task.hpp>
#include <rt/sync/waiter.hpp>

namespace rt {

/// SIGQUIT (Ctrl-\ in a terminal, `kill -QUIT`) prints the report of all threads on standard error, and the program
/// goes on. A program with a hub has this from its start on; another calls it. A handler of the program's own that is
/// set before stays, and one that is set later replaces this. The other threads are found in /proc.
void report_on_quit();

namespace reporting {

/// Which of a thread's flows to report; else the id of one.
inline constexpr std::uint32_t all_flows = 0, running_flow = ~std::uint32_t{0};

/// Reports on the calling thread. frames: those of what runs, for write_backtrace.
void report_this_thread(std::uint32_t which, const void* frames, std::uintptr_t stack_pointer);

/// Has another thread of this process report, and waits until it has. False: it has ended, or does not answer within
/// two seconds, as it blocks signals.
bool ask_thread(TaskId thread, std::uint32_t which);

/// Reports on one task, wherever it runs, but the calling one.
void report_task(TaskId task);

/// Writes " waits for lock 0x..., which task 7 holds, for 2s so far".
void write_wait(Output& out, const Task& task, const Waiter* waiter);

} // namespace reporting
} // namespace rt
