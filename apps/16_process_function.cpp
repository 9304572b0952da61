// Process, form one: a function and its arguments.
//
// 200 processes are started one after the other, and all live at the same time. Each sleeps, says hello with the name
// that it was given and the time, and ends; the parent joins them all.

#include "calendar.hpp"
#include "options.hpp"

#include <rt/process/process.hpp>

#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int processes = 200;

void greet(std::string_view name) {
  apps::pause(1s);
  rt::println("hello {} {}", name, apps::TimeText::now().view());
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Process with a function: 200 processes say hello with a name and the time.");
  if (const auto status = options.finish()) return *status;

  std::vector<rt::Process> all;
  for (int i = 0; i < processes; ++i) {
    all.emplace_back(greet, "alex");
    if (const auto started = all.back().start(); !started) {
      rt::eprintln("16_process_function: process {} could not be started: {}", i + 1, started.error());
      return 1;
    }
  }
  int failed = 0;
  for (auto& process : all) {
    process.join();
    if (process.exit_code() != 0) ++failed;
  }
  if (failed != 0) rt::eprintln("16_process_function: {} processes failed", failed);
  rt::println("end");
  return failed == 0 ? 0 : 1;
}
