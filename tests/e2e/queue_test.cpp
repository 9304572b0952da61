// 11_unsafe_list, 11_queue, 11_producer_consumer: work that threads hand each other.

#include "run.hpp"

#include <map>

namespace {

using Lines = std::vector<std::string>;

// How many times each element was taken in the part of the transcript that begins with the title.
std::map<long, int> taken(const Lines& lines, const std::string& title) {
  std::map<long, int> times;
  const auto begin = std::find(lines.begin(), lines.end(), title + ":");
  REQUIRE(begin != lines.end());
  for (auto line = begin + 1; line != lines.end() && line->starts_with("  "); ++line)
    if (e2e::contains(*line, " takes ")) ++times[e2e::number_after(*line, " takes ")];
  return times;
}

// Whether the indented lines below the title are these.
void check_section(const Lines& lines, const std::string& title, const Lines& expected) {
  auto line = std::find(lines.begin(), lines.end(), title);
  REQUIRE(line != lines.end());
  Lines section;
  while (++line != lines.end() && line->starts_with("  ")) section.push_back(line->substr(2));
  CHECK(e2e::join_lines(section) == e2e::join_lines(expected));
}

} // namespace

TEST_CASE("11_unsafe_list: without a lock elements are taken twice or lost, and each failure is counted") {
  const auto lines = e2e::transcript("11_unsafe_list");
  SHOW_TRANSCRIPT(lines);
  const long failures = e2e::number_after(lines[e2e::place(lines, "without a lock, failures")], "failures: ");
  CHECK(failures > 0);
  auto times = taken(lines, "without a lock");
  long found = 0;
  for (long element = 1; element <= 10; ++element) {
    CAPTURE(element);
    const int count = times[element];
    const std::string error = "error: " + std::to_string(element) + " was " + (count == 0 ? "lost" : "taken twice");
    CHECK(std::count(lines.begin(), lines.end(), "  " + error) == (count == 1 ? 0 : 1));
    found += count != 1;
  }
  CHECK(found == failures);
}

TEST_CASE("11_unsafe_list: with a Lock and with a Queue each element is taken once") {
  const auto lines = e2e::transcript("11_unsafe_list");
  SHOW_TRANSCRIPT(lines);
  for (const std::string title : {"with a Lock", "with a Queue"}) {
    CAPTURE(title);
    CHECK(e2e::number_after(lines[e2e::place(lines, title + ", failures")], "failures: ") == 0);
    const auto times = taken(lines, title);
    CHECK(times.size() == 10);
    for (const auto& [element, count] : times) CHECK(count == 1);
  }
  CHECK(lines.back() == "end");
}

TEST_CASE("11_queue: a number, a text and a map come out in the order in which they went in") {
  const auto lines = e2e::transcript("11_queue");
  check_section(lines, "Queue: first in, first out",
                {"put a number: done", "put a text: done", "put a map: done", "size() 3, empty() false, full() false",
                 "get: 12", "get: \"alex\"", "get: {\"age\": 15}", "size() 0, empty() true, full() false"});
}

TEST_CASE("11_queue: a full queue and an empty one refuse, time out, or wait for the other thread") {
  const auto lines = e2e::transcript("11_queue");
  check_section(lines, "Queue of maxsize 2: full and empty",
                {"put 1: done", "try_put 2: done", "size() 2, empty() false, full() true", "try_put 3: error, full",
                 "put_for 3: error, timed out", "(the other thread gets one)", "put 3: done", "get: 2", "try_get: 3",
                 "try_get: error, empty", "get_for: error, timed out", "(the other thread puts 4)", "get: 4"});
}

TEST_CASE("11_queue: last in, first out; and by priority") {
  const auto lines = e2e::transcript("11_queue");
  check_section(lines, "LifoQueue: last in, first out",
                {"put 2: done", "put 3: done", "put 1: done", "get: 1", "get: 3", "get: 2"});
  check_section(lines, "PriorityQueue: the least first",
                {"put 2: done", "put 3: done", "put 1: done", "get: 1", "get: 2", "get: 3"});
}

TEST_CASE("11_queue: join returns when every item is done, and one task_done more is an error") {
  const auto lines = e2e::transcript("11_queue");
  check_section(lines, "task_done and join",
                {"task 1 is done", "task 2 is done", "task 3 is done", "join: all tasks are done",
                 "task_done, once too often: error, released more often than acquired"});
}

TEST_CASE("11_queue: after shutdown nothing goes in, and what is in comes out") {
  const auto lines = e2e::transcript("11_queue");
  check_section(lines, "shutdown", {"put 1: done", "put 2: error, closed", "get: 1", "get: error, closed"});
  CHECK(lines.back() == "end");
}

TEST_CASE("11_producer_consumer: ten are made, all are taken in order, and an empty queue means nothing left") {
  const auto lines = e2e::transcript("11_producer_consumer");
  SHOW_TRANSCRIPT(lines);
  long made = 0, taken = 0, empty = 0;
  for (const auto& line : lines) {
    CAPTURE(line);
    if (line.starts_with("Baker: here is bun ")) {
      CHECK(e2e::number_after(line, "bun ") == ++made);
    } else if (line.starts_with("Guest: eats bun ")) {
      CHECK(e2e::number_after(line, "bun ") == ++taken);
      CHECK(taken <= made);
    } else if (line == "Guest: nothing left") {
      ++empty;
    }
  }
  CHECK(made == 10);
  CHECK(taken == 10);
  CHECK(empty >= 1);
  REQUIRE(lines.size() == static_cast<std::size_t>(made + taken + empty + 2));
  CHECK(lines[lines.size() - 2] == "Guest: nothing left");
  CHECK(lines.back() == "end");
}
