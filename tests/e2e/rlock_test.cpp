// 08_rlock: a recursive lock, and the dead lock that it avoids.

#include "run.hpp"

#include <map>

namespace {

struct Line {
  long milliseconds;
  std::string who;
  std::string what;
};

// "  78ms  Thread-1 holds A (depth 1)"; the time may be in seconds: "1.5s".
Line parse(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(' '), end = line.find(' ', begin), name = line.find("Thread-");
  REQUIRE(name != line.npos);
  const std::size_t space = line.find(' ', name);
  const std::string time = line.substr(begin, end - begin);
  const double unit = time.ends_with("ms") ? 1 : 1000;
  return {static_cast<long>(std::stod(time) * unit), line.substr(name, space - name), line.substr(space + 1)};
}

} // namespace

TEST_CASE("08_rlock: three threads take the lock twice in both orders, and nobody comes between") {
  auto lines = e2e::transcript("08_rlock");
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 3 * 2 * 3 + 1);
  CHECK(lines.back() == "end");
  lines.pop_back();

  const std::vector<std::string> a_first = {"holds A (depth 1)", "holds A and B (depth 2)", "gives both back"};
  const std::vector<std::string> b_first = {"holds B (depth 1)", "holds B and A (depth 2)", "gives both back"};
  std::map<std::string, int> sections;
  long before = 0;
  for (std::size_t i = 0; i < lines.size(); i += 3) {
    const Line section[] = {parse(lines[i]), parse(lines[i + 1]), parse(lines[i + 2])};
    const auto& expected = sections[section[0].who]++ == 0 ? a_first : b_first;
    for (std::size_t k = 0; k < 3; ++k) {
      CAPTURE(lines[i + k]);
      CHECK(section[k].who == section[0].who);
      CHECK(section[k].what == expected[k]);
      CHECK(section[k].milliseconds >= before);
      before = section[k].milliseconds;
    }
    CHECK(section[1].milliseconds - section[0].milliseconds >= 49); // 50 ms, each time rounded down
    CHECK(section[2].milliseconds - section[1].milliseconds >= 24);
  }
  CHECK(sections == std::map<std::string, int>{{"Thread-1", 2}, {"Thread-2", 2}, {"Thread-3", 2}});
}

TEST_CASE("08_rlock --deadlock: the runtime says who holds what and who waits for what, and aborts") {
  for (const std::string scale : {"0.05", "0.000001"}) {
    const auto ending = e2e::run(e2e::app("08_rlock"), {"--deadlock", "--time-scale", scale});
    INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
    CHECK(ending.by_signal(SIGABRT));

    const auto lines = ending.lines();
    REQUIRE(lines.size() == 5);
    const auto address_of = [&](const std::string& lock) {
      const std::size_t at = lines[0].find(lock + " is 0x");
      REQUIRE(at != std::string::npos);
      const std::size_t begin = at + lock.size() + 4;
      return lines[0].substr(begin, lines[0].find_first_of(",\n", begin) - begin);
    };
    const std::string a = address_of("lock A"), b = address_of("lock B");
    CHECK(a != b);
    CHECK(e2e::place(lines, "Ann holds A") < e2e::place(lines, "Ann wants B"));
    CHECK(e2e::place(lines, "Bob holds B") < e2e::place(lines, "Bob wants A"));
    CHECK_FALSE(e2e::contains(ending.out, "end\n"));

    const auto report = e2e::split_lines(ending.err);
    REQUIRE(report.size() > 2);
    CHECK(report[0].starts_with("deadlock: 2 tasks wait for each other's locks"));
    const std::string& ann = report[e2e::place(report, "  'Ann' (id ")];
    CHECK(e2e::contains(ann, "holds lock " + a + " and waits for lock " + b + ", which 'Bob' "));
    const std::string& bob = report[e2e::place(report, "  'Bob' (id ")];
    CHECK(e2e::contains(bob, "holds lock " + b + " and waits for lock " + a + ", which 'Ann' "));
    CHECK(e2e::number_after(ann, "'Ann' (id ") != e2e::number_after(bob, "'Bob' (id "));
    CHECK(e2e::number_after(ann, "which 'Bob' (id ") == e2e::number_after(bob, "  'Bob' (id "));
  }
}
