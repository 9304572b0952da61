// 09_event: workers wait for a flag that the boss sets twice.

#include "run.hpp"

#include <set>

TEST_CASE("09_event: all wait, the boss sets, all react, one clears, all wait, the boss sets again") {
  const auto lines = e2e::transcript("09_event");
  SHOW_TRANSCRIPT(lines);
  const auto waits = e2e::places(lines, "waits for an order"), reactions = e2e::places(lines, "oh no"),
             hoorays = e2e::places(lines, "hooray");
  REQUIRE(waits.size() == 5);
  REQUIRE(reactions.size() == 5);
  REQUIRE(hoorays.size() == 5);
  const std::size_t first = e2e::place(lines, "Boss: we all work late"), clear = e2e::place(lines, "clears the event"),
                    second = e2e::place(lines, "Boss: done");
  REQUIRE(lines.size() == 5 + 5 + 5 + 3 + 1);

  CHECK(first < reactions.front());
  CHECK(reactions.back() < clear);
  CHECK(clear < second);
  CHECK(second < hoorays.front());
  CHECK(hoorays.back() < lines.size() - 1);
  CHECK(lines.back() == "end");

  for (const auto& group : {waits, reactions, hoorays}) {
    std::set<std::string> workers;
    for (const std::size_t at : group) workers.insert(lines[at].substr(0, lines[at].find(':')));
    CHECK(workers == std::set<std::string>{"Worker 1", "Worker 2", "Worker 3", "Worker 4", "Worker 5"});
  }
}

TEST_CASE("09_event: is_set() is false before the event is set, true for who was released, false when it was cleared") {
  const auto lines = e2e::transcript("09_event");
  SHOW_TRANSCRIPT(lines);
  CHECK(lines[e2e::place(lines, "Boss: we all work late")].ends_with("(is_set() is false)"));
  for (const std::size_t at : e2e::places(lines, "oh no")) CHECK(lines[at].ends_with("(is_set() is true)"));
  CHECK(lines[e2e::place(lines, "Boss: done")].ends_with("(is_set() is false)"));
}
