// 14_task_types, 18_multicore: the same work by one CPU and by several.

#include "run.hpp"

#include <map>
#include <thread>

TEST_CASE("14_task_types: both kinds of tasks are done in all ways, and waiting is done side by side") {
  const auto ending = e2e::run(e2e::app("14_task_types"), {"--time-scale", "0.1"});
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  REQUIRE(ending.by_exit(0));
  CHECK(ending.err == "");
  const auto lines = ending.lines();
  std::map<std::string, double> waiting;
  for (const std::string name : {"one after the other", "threads", "processes", "fibers", "processes + fibers"})
    for (const auto& line : lines) {
      const std::size_t time = line.find_first_not_of(' ', name.size());
      if (!line.starts_with(name + "  ") || time == line.npos) continue;
      waiting[name] = e2e::milliseconds_after(line, line.substr(0, time));
    }
  CHECK(waiting.size() == 5);
  CHECK(waiting["one after the other"] >= 160); // eight times 20 ms
  CHECK(waiting["fibers"] >= 20);
  CHECK(waiting["fibers"] < waiting["one after the other"]);
  CHECK(waiting["threads"] < waiting["one after the other"]);
  CHECK(e2e::places(lines, "least time for ").size() == 2);
  CHECK(lines.back() == "end");
}

TEST_CASE("18_multicore: processes with fibers answer all requests, behind one port and behind one queue") {
  const auto lines = e2e::transcript("18_multicore");
  SHOW_TRANSCRIPT(lines);
  const long cpus = e2e::number_after(lines[0], "CPUs: "), processes = std::clamp(cpus, 2L, 8L);
  CHECK(cpus == static_cast<long>(std::thread::hardware_concurrency()));
  CHECK(e2e::place(lines, "behind one port:") < e2e::place(lines, "behind one queue:"));
  CHECK(e2e::places(lines, "  1 process with 32 fibers: 800 requests in ").size() == 2);
  const auto several =
      e2e::places(lines, "  " + std::to_string(processes) + " processes with 32 fibers: 800 requests in ");
  CHECK(several.size() == 2);
  for (const auto place : several) {
    const std::string& line = lines[place];
    const std::string served = line.substr(line.find("served by each:") + 15);
    long sum = 0, count = 0;
    for (std::size_t at = 0; (at = served.find(' ', at)) != served.npos; ++at, ++count)
      sum += std::strtol(served.c_str() + at, nullptr, 10);
    CHECK(sum == 800);
    CHECK(count == processes);
  }
  CHECK(e2e::places(lines, "% of what one does").size() == 2);
  CHECK(lines.back() == "end");
}
