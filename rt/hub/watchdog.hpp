#pragma once
// The watchdog: reports a fiber that keeps its hub from running the others.
//
//   rt::watch_hubs(100ms).value();
//
//   watchdog: a hub has been kept for more than 100ms by
//     fiber 'parser' (id 4194304) of thread 4711 runs
//     called from (addr2line -Cfpe PROGRAM ADDRESS):
//       0x1a2b
//
// A fiber that computes for long, or that makes a system call that blocks, lets every other fiber of its thread wait. A
// thread of the watchdog's own looks at all hubs a few times in the given time: at counters that they keep anyway, so
// switches cost nothing for it. It asks a hub's thread where it stands (rt/sync/thread_report.hpp) when the counters
// have not changed for that time, the hub does not sleep, and it has fibers; once until they change. A fiber that calls
// yield() keeps nobody, even when no other is ready.

#include <rt/base/result.hpp>

#include <chrono>

namespace rt {

/// Watches all hubs of the process, those to come included, from now on, and reports on standard error who keeps one
/// for longer than `longest`; the program goes on. The least is a millisecond; zero: no more. Errors of Thread::start.
Result<void> watch_hubs(std::chrono::milliseconds longest);

} // namespace rt
