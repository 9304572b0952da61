// A lock between processes: each of ten processes prints its line in parts, and no line is torn.
//
// The eleventh process is killed while it holds the lock. The next one gets the lock all the same, and is told.

#include "options.hpp"

#include <rt/base/print.hpp>
#include <rt/kernel/file.hpp>
#include <rt/process/process.hpp>
#include <rt/process/shared.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/shared_lock.hpp>

#include <mutex>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int processes = 10;

struct Common {
  rt::SharedLock lock;
  rt::SharedEvent held;
  int lines = 0;
};

// Without the lock the parts of several lines would mingle, each being a write(2) of its own.
void print_in_parts(Common& common, int number) {
  const std::lock_guard guard(common.lock);
  rt::print("hello ");
  apps::pause(20ms);
  rt::print("world ");
  apps::pause(20ms);
  rt::println("{}", number);
  ++common.lines;
}

std::string_view outcome(const rt::Result<void>& result) { return result.ok() ? "taken" : result.error().message(); }

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "A lock between processes: ten processes print whole lines.");
  if (const auto status = options.finish()) return *status;

  rt::Shared<Common> common;
  {
    std::vector<rt::Process> children;
    for (int number = 0; number < processes; ++number) {
      children.emplace_back([&common, number] { print_in_parts(*common, number); });
      children.back().start().value();
    }
  }
  rt::println("{} processes printed {} lines", processes, common->lines);

  rt::Process victim([&common] {
    common->lock.lock();
    common->held.set();
    for (;;) rt::sleep_for(1h);
  });
  victim.start().value();
  common->held.wait();
  rt::println("a process holds the lock, and is killed");
  victim.kill().value();
  rt::println("the lock after it: {}", outcome(common->lock.lock()));
  common->lock.unlock();
  rt::println("the lock once more: {}", outcome(common->lock.lock()));
  common->lock.unlock();
  victim.join();
  rt::println("end");
  return common->lines == processes ? 0 : 1;
}
