#include <rt/hub/watchdog.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/print.hpp>
#include <rt/hub/hub.hpp>
#include <rt/hub/report.hpp>
#include <rt/kernel/futex.hpp>
#include <rt/kernel/signal.hpp>
#include <rt/sync/thread_report.hpp>
#include <rt/thread/thread.hpp>

#include <algorithm>

namespace rt {
namespace hub {
namespace {

using kernel::Sharing;
using std::chrono::milliseconds;

constexpr int looks = 4; // within the time that a hub may be kept

constinit Atomic<std::uint32_t> limit = 0;   // milliseconds; 0: watch nobody
constinit Atomic<std::uint32_t> started = 0; // a word: riscv64 has no atomic instructions for less

void look_at(Hub& hub, std::int64_t time, milliseconds longest) {
  Hub::Watched& seen = hub.watched;
  const Hub::Progress progress = hub.progress();
  if (!progress.busy || progress.number != seen.number) {
    seen = {progress.number, time, false};
  } else if (!seen.reported && time - seen.since > std::chrono::nanoseconds(longest).count()) {
    seen.reported = true;
    const TaskId thread = hub.thread();
    if (thread == 0) return;
    eprintln("watchdog: a hub has been kept for more than {} by", longest);
    if (!reporting::ask_thread(thread, reporting::running_flow))
      eprintln("  a fiber of thread {}, which does not answer: it blocks signals", thread);
  }
}

void watch() {
  kernel::block_signals(kernel::SignalSet::all().without(kernel::fault_signals)); // they are the program's
  for (;;) {
    const std::uint32_t value = limit.load(std::memory_order_acquire);
    const milliseconds longest(value);
    const Deadline next = value == 0 ? Deadline() : Deadline::after(std::max(longest / looks, milliseconds(1)));
    kernel::futex_wait(limit, value, next, Sharing::private_to_process);
    if (value == 0) continue;
    const std::int64_t time = Clock::now().time_since_epoch().count();
    for (Hub* hub = Hub::first(); hub; hub = hub->next()) look_at(*hub, time, longest);
  }
}

} // namespace

// The thread that watches stays behind: a child process that is to be watched asks for it.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_watchdog() {
  if (started.load(std::memory_order_relaxed) != 0) started.store(0, std::memory_order_relaxed);
  if (watchdogs.load(std::memory_order_relaxed) != 0) watchdogs.store(0, std::memory_order_relaxed);
}
RT_IN_FORKED(20, rt_fork_watchdog);

} // namespace hub

Result<void> watch_hubs(std::chrono::milliseconds longest) {
  using hub::limit, hub::started;
  limit.store(static_cast<std::uint32_t>(std::clamp<std::int64_t>(longest.count(), 0, ~std::uint32_t{0})),
              std::memory_order_release);
  kernel::futex_wake(limit, 1, kernel::Sharing::private_to_process);
  if (longest.count() <= 0 || started.exchange(1) != 0) return {};
  hub::watchdogs.store(1, std::memory_order_relaxed);
  const ThreadOptions options{.name = "watchdog", .daemon = true, .stack_size = 64 * 1024};
  const Result<void> start = Thread(options, hub::watch).start();
  if (!start) {
    hub::watchdogs.store(0, std::memory_order_relaxed);
    started.store(0);
  }
  return start;
}

} // namespace rt
