// 17_manager: processes share objects of each kind through a server process.

#include "run.hpp"

#include <algorithm>

TEST_CASE("17_manager: ten processes leave ten keys in the dict and fifteen elements in the list") {
  const auto lines = e2e::transcript("17_manager");
  SHOW_TRANSCRIPT(lines);
  const std::string dict = lines[e2e::place(lines, "dict: {")], list = lines[e2e::place(lines, "list: [")];
  for (int i = 0; i < 10; ++i) CHECK(e2e::contains(dict, std::to_string(i) + ": \"1\""));
  CHECK(std::ranges::count(dict, ',') == 9);
  CHECK(std::ranges::count(list, ',') == 14);
  CHECK(list.starts_with("list: [0, 1, 2, 3, 4, "));
  CHECK(lines.back() == "end");
}

TEST_CASE("17_manager: two processes use one object of each kind") {
  const auto lines = e2e::transcript("17_manager");
  SHOW_TRANSCRIPT(lines);
  for (const char* kind : {"Lock", "RLock", "Semaphore", "BoundedSemaphore"})
    CHECK(e2e::places(lines, std::string(kind) + ": process ").size() >= 2);
  CHECK(e2e::places(lines, " was alone in it").size() == 8);
  CHECK(e2e::places(lines, "BoundedSemaphore: released more often than acquired").size() == 1);
  for (const char* seen : {"Event: process 1 has waited for it", "Event: process 2 has set it",
                           "came first, and waited", "came last, and opened it", "Condition: process 1 was notified",
                           "Condition: process 2 has notified", "Queue: process 1 has put hello",
                           "Queue: process 2 has got hello", R"(a list in a dict: ["inner", "from the child"])"})
    CHECK_MESSAGE(e2e::places(lines, seen).size() == 1, seen);
  const std::string data = lines[e2e::place(lines, "Namespace {")];
  CHECK(e2e::contains(data, "\"first\": 1"));
  CHECK(e2e::contains(data, "\"second\": 2"));
  CHECK(e2e::contains(data, "Value 42, Array [1, 2]"));
}
