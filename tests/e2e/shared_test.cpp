// 17_process_lock and 17_process_queue: what processes share.

#include "run.hpp"

#include <set>

TEST_CASE("17_process_lock: ten processes print whole lines, in any order") {
  const auto lines = e2e::transcript("17_process_lock");
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 10 + 5);
  std::set<std::string> seen(lines.begin(), lines.begin() + 10), expected;
  for (int i = 0; i < 10; ++i) expected.insert("hello world " + std::to_string(i));
  CHECK(seen == expected);
  CHECK(lines[10] == "10 processes printed 10 lines");
  CHECK(lines.back() == "end");
}

TEST_CASE("17_process_lock: a lock whose owner was killed is taken by the next, who is told, and is a lock as before") {
  const auto lines = e2e::transcript("17_process_lock");
  SHOW_TRANSCRIPT(lines);
  CHECK(lines[e2e::place(lines, "the lock after it")].ends_with(": owner died"));
  CHECK(lines[e2e::place(lines, "the lock once more")].ends_with(": taken"));
}

TEST_CASE("17_process_queue: the parent gets what the child has put, in its order") {
  const auto lines = e2e::transcript("17_process_queue");
  SHOW_TRANSCRIPT(lines);
  CHECK(lines[0] == "got 123");
  CHECK(lines[1] == "got 456");
  CHECK(lines.back() == "end");
}

TEST_CASE("17_process_queue: a killed process takes along what it had in its hands, and no more") {
  const auto lines = e2e::transcript("17_process_queue");
  SHOW_TRANSCRIPT(lines);
  CHECK(e2e::number_after(lines[e2e::place(lines, "the sum of 20 squares")], ": ") == 2870);
  CHECK(lines[e2e::place(lines, "all done")].ends_with(": but one that was lost with its process"));
}
