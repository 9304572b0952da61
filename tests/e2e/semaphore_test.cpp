// 10_semaphore: a hundred threads and five permits.

#include "run.hpp"

#include <set>

TEST_CASE("10_semaphore: a hundred threads pass, five are inside at most, and five at some time") {
  const auto lines = e2e::transcript("10_semaphore");
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 100 + 4);
  std::set<std::string> threads;
  long most = 0;
  for (const std::size_t at : e2e::places(lines, "is inside, one of ")) {
    threads.insert(lines[at].substr(0, lines[at].find(' ')));
    const long inside = e2e::number_after(lines[at], "one of ");
    CHECK(inside >= 1);
    CHECK(inside <= 5);
    most = std::max(most, inside);
  }
  CHECK(threads.size() == 100);
  CHECK(most == 5);
  const std::string& summary = lines[100];
  CHECK(e2e::number_after(summary, "") == 100);
  CHECK(e2e::number_after(summary, "at most ") == most);
  CHECK(e2e::number_after(summary, "allowed: ") == 5);
  CHECK(lines.back() == "end");
}

TEST_CASE("10_semaphore: a BoundedSemaphore refuses a release beyond its initial value, and says so") {
  const auto lines = e2e::transcript("10_semaphore");
  SHOW_TRANSCRIPT(lines);
  CHECK(lines[e2e::place(lines, "first release")].ends_with(": done"));
  CHECK(lines[e2e::place(lines, "one too many")].ends_with(": released more often than acquired"));
}
