// 17_pool: tasks in workers, callbacks in the parent.

#include "run.hpp"

#include <set>

TEST_CASE("17_pool: five workers do ten tasks side by side, and callbacks run in the parent") {
  const auto lines = e2e::transcript("17_pool");
  SHOW_TRANSCRIPT(lines);
  const long parent = e2e::number_after(lines[0], "parent: process ");
  CHECK(e2e::number_after(lines[e2e::place(lines, "apply waits")], "done by process ") != parent);
  std::set<long> tasks, workers;
  for (const auto place : e2e::places(lines, "in process "))
    if (lines[place].starts_with("i = ")) {
      tasks.insert(e2e::number_after(lines[place], "i = "));
      workers.insert(e2e::number_after(lines[place], "in process "));
    }
  CHECK(tasks.size() == 10);
  CHECK(workers.size() == 5);
  CHECK(workers.count(parent) == 0);
  const auto callbacks = e2e::places(lines, "callback in process ");
  CHECK(callbacks.size() == 10);
  for (const auto place : callbacks) {
    CHECK(e2e::number_after(lines[place], "callback in process ") == parent);
    // The task has been done by then.
    const long task = e2e::number_after(lines[place], "task "), worker = e2e::number_after(lines[place], "by process ");
    CHECK(e2e::place(lines, "i = " + std::to_string(task) + " in process " + std::to_string(worker)) < place);
  }
  CHECK(e2e::place(lines, "join before close: still open") < e2e::place(lines, "a task after close: closed"));
  // Each sleeps for 50 ms: two rounds, which is far less than ten.
  const auto took = [](const auto& printed) {
    return e2e::milliseconds_after(printed[e2e::place(printed, "10 tasks by 5 workers in ")], "workers in ");
  };
  CHECK(took(lines) >= 100);
  CHECK((took(lines) < 500 || e2e::in_one_try([&] { return took(e2e::transcript("17_pool")) < 500; })));
  CHECK(lines.back() == "end");
}
