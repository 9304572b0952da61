// Process, form two: a class of one's own with run().
//
// Three processes sleep, and say hello with the names that they were given by default.

#include "calendar.hpp"
#include "options.hpp"

#include <rt/process/process.hpp>

using namespace std::chrono_literals;

namespace {

class MyProcess : public rt::Process {
 public:
  void run() override {
    apps::pause(1s);
    rt::println("hello {} {}", name(), apps::TimeText::now().view());
  }
};

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Process as a class: three processes say hello with their names and the time.");
  if (const auto status = options.finish()) return *status;

  MyProcess processes[3];
  for (auto& process : processes) process.start().value();
  for (auto& process : processes) process.join();
  rt::println("end");
  return 0;
}
