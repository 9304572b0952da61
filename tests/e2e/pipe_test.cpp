// 17_pipe: a list goes one way, a text the other, then the end.

#include "run.hpp"

TEST_CASE("17_pipe: the parent receives the child's list, answers, and reads the end when the child has closed") {
  const auto lines = e2e::transcript("17_pipe");
  SHOW_TRANSCRIPT(lines);
  const std::size_t list = e2e::place(lines, R"(Parent: received [12, {"name": "alice"}, "hello"])"),
                    answer = e2e::place(lines, R"(Child: received "good morning!")"),
                    end = e2e::place(lines, "Parent: then end of file");
  CHECK(e2e::place(lines, R"(Child: sends [12, {"name": "alice"}, "hello"])") < list);
  CHECK(list < answer);
  CHECK(answer < end);
  const std::size_t closed = e2e::place(lines, "Child: has closed its end, object ");
  CHECK(answer < closed);
  const std::string object = lines[e2e::place(lines, "Parent: the child's end is object ")];
  CHECK(lines[closed].ends_with(object.substr(object.rfind(' '))));
  CHECK(lines.back() == "end");
}

TEST_CASE("17_pipe: what goes one way comes in order, and nothing else") {
  const auto lines = e2e::transcript("17_pipe");
  SHOW_TRANSCRIPT(lines);
  const auto values = e2e::places(lines, "Parent: received [\"measurement\"");
  REQUIRE(values.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(e2e::number_after(lines[values[i]], "\", ") == static_cast<long>(i) + 1);
  CHECK(values.back() < e2e::place(lines, "Parent: 3 values"));
}
