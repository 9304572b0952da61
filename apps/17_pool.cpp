// A pool of processes: five workers, ten tasks. What a task does it does in a worker; the callback, which gets what the
// task has returned, runs in the parent.
//
// A pool is closed before it is joined: joining waits for the workers' end, and they do not end while more tasks could
// come. To join first is an error, and the app shows it.

#include "options.hpp"

#include <rt/base/format.hpp>
#include <rt/kernel/process.hpp>
#include <rt/process/pool.hpp>

using namespace std::chrono_literals;
using rt::kernel::process_id;

namespace {

constexpr int workers = 5, tasks = 10;

std::string work(int i) {
  apps::pause(1000ms);
  rt::println("i = {} in process {}", i, process_id());
  char text[64];
  const std::size_t size = rt::format_to(text, "task {} by process {}", i, process_id());
  return std::string(text, size);
}

void log(const std::string& result) { rt::println("callback in process {}: {}", process_id(), result); }

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "A pool of 5 processes does 10 tasks; callbacks run in the parent.");
  if (const auto status = options.finish()) return *status;

  rt::println("parent: process {}", process_id());
  rt::Pool pool(workers);
  const auto once = pool.apply([] { return process_id(); });
  if (!once) {
    rt::eprintln("17_pool: cannot start workers: {}", once.error());
    return 1;
  }
  rt::println("apply waits for one task: done by process {}", *once);

  const auto begin = rt::Clock::now();
  for (int i = 0; i < tasks; ++i) pool.apply_async(work, i, log);
  if (const auto joined = pool.join(); !joined)
    rt::println("join before close: {}; close() has to come first", joined.error());
  pool.close();
  if (const auto late = pool.apply(work, tasks); !late) rt::println("a task after close: {}", late.error());
  pool.join().value();
  rt::println("{} tasks by {} workers in {}", tasks, pool.workers(),
              std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin));
  rt::println("end");
  return 0;
}
