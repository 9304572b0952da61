// A queue between processes: the child puts 123 and 456, the parent gets both.
//
// Then two children share some work by a queue: numbers there, squares back. One of them is killed with a number in its
// hands; nothing else is lost, and the queue says that something was.

#include "options.hpp"

#include <rt/process/process.hpp>
#include <rt/process/shared_queue.hpp>

#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int numbers = 20;

void square(rt::SharedQueue<int>& work, rt::SharedQueue<rt::Value>& results) {
  for (auto number = work.get(); number; number = work.get()) {
    apps::pause(5ms);
    results.put({*number, *number * *number}).value();
    work.task_done().value();
  }
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "A queue between processes: what children put, the parent gets.");
  if (const auto status = options.finish()) return *status;

  rt::SharedQueue<rt::Value> queue;
  {
    rt::Process child([&] {
      queue.put(123).value();
      queue.put(456).value();
    });
    child.start().value();
    rt::println("got {}", queue.get().value());
    rt::println("got {}", queue.get().value());
  }

  rt::SharedQueue<int> work(numbers + 1);
  rt::Process unlucky([&] {
    work.get().value();
    queue.put("I have one").value();
    for (;;) rt::sleep_for(1h);
  });
  work.put(-1).value();
  unlucky.start().value();
  rt::println("one child says: {}", queue.get().value());
  unlucky.kill().value();
  unlucky.join();

  std::vector<rt::Process> children;
  for (int i = 0; i < 2; ++i) {
    children.emplace_back([&] { square(work, queue); });
    children.back().start().value();
  }
  for (int number = 1; number <= numbers; ++number) work.put(number).value();
  int sum = 0;
  for (int i = 0; i < numbers; ++i) sum += static_cast<int>(queue.get().value().list()[1].integer());
  rt::println("the sum of {} squares: {}", numbers, sum);
  rt::println("all done: {}",
              work.join().error() == rt::Errc::owner_died ? "but one that was lost with its process" : "yes");
  work.shutdown();
  for (auto& child : children) child.join();
  rt::println("end");
  return sum == numbers * (numbers + 1) * (2 * numbers + 1) / 6 ? 0 : 1;
}
