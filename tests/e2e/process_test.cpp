// 16_process_function, 16_process_class, 16_process_api: processes by a function, by a class, and all that can be asked
// of one.

#include "run.hpp"

#include <cstdio>
#include <set>

namespace {

// "hello NAME Tue Nov 24 12:57:12 2026"; the seconds since 1970.
std::time_t time_of(const std::string& line, const std::string& name) {
  const std::string begin = "hello " + name + " ";
  CAPTURE(line);
  REQUIRE(line.starts_with(begin));
  std::tm time{};
  const char* const end = strptime(line.c_str() + begin.size(), "%a %b %e %H:%M:%S %Y", &time);
  REQUIRE(end != nullptr);
  CHECK(*end == '\0');
  const int weekday = time.tm_wday;
  const std::time_t seconds = timegm(&time);
  CHECK(time.tm_wday == weekday);
  return seconds;
}

} // namespace

TEST_CASE("16_process_function: 200 processes say hello within the time of the run, and end is last") {
  const std::time_t begin = std::time(nullptr);
  const auto lines = e2e::transcript("16_process_function");
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 201);
  for (std::size_t i = 0; i < 200; ++i) {
    const std::time_t time = time_of(lines[i], "alex");
    CHECK(time >= begin);
    CHECK(time <= std::time(nullptr));
  }
  CHECK(lines.back() == "end");
}

TEST_CASE("16_process_function: all 200 live at the same time") {
  const auto ending = e2e::run(e2e::app("16_process_function"), {"--time-scale", "2"});
  CHECK(ending.by_exit(0));
  CHECK(ending.seconds >= 2);
  CHECK(ending.seconds < 30); // one after the other: 400
}

TEST_CASE("16_process_function says why a process could not be started, and leaves none behind") {
  const e2e::Setting few{.before_execution = [] {
    // Root is not limited, so the limit is that of another user who has no other process.
    const rlimit limit{20, 20};
    return setrlimit(RLIMIT_NPROC, &limit) == 0 && (geteuid() != 0 || setresuid(54321, 54321, 54321) == 0);
  }};
  if (geteuid() != 0) {
    std::puts("SKIPPED what a process at its limit of processes tells: the limit would count the user's others");
    return;
  }
  // The program's directory may be closed to other users: it is run from a copy.
  const e2e::TemporaryDirectory directory;
  const std::string program = directory.path() + "/16_process_function";
  std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all |
                                                     std::filesystem::perms::group_exec |
                                                     std::filesystem::perms::others_exec);
  std::filesystem::copy_file(e2e::app("16_process_function"), program);
  const auto ending = e2e::run(program, {"--time-scale", "0.2"}, few);
  INFO(ending.out, ending.err);
  CHECK(ending.by_exit(1));
  CHECK(e2e::contains(ending.err, "16_process_function: process "));
  CHECK(e2e::contains(ending.err, " could not be started: "));
  CHECK(ending.seconds < 30);
}

TEST_CASE("16_process_class: three processes say hello with the names that they have by default") {
  const auto lines = e2e::transcript("16_process_class");
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 4);
  std::set<std::string> names;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = lines[i].substr(6, lines[i].find(' ', 6) - 6);
    time_of(lines[i], name);
    names.insert(name);
  }
  CHECK(names == std::set<std::string>{"Process-1", "Process-2", "Process-3"});
  CHECK(lines.back() == "end");
}

TEST_CASE("16_process_api shows every method and property") {
  for (const std::string scale : {"0.05", "0.000001"}) {
    const auto ending = e2e::run(e2e::app("16_process_api"), {"--time-scale", scale});
    const auto lines = ending.lines();
    SHOW_TRANSCRIPT(lines);
    CHECK(ending.by_exit(0));
    CHECK(ending.err == "");
    CHECK(lines.back() == "end");
    const auto follow = [&](const std::vector<std::string>& texts) {
      std::size_t before = 0;
      for (const auto& text : texts) {
        CAPTURE(text);
        const std::size_t at = e2e::place(lines, text);
        CHECK(at >= before);
        before = at;
      }
    };
    follow({"name adder, pid none, daemon false, is_alive false, exit_code none",
            "child: 2 + 3 is my exit code, and my name is adder",
            "name adder, pid known, daemon false, is_alive false, exit_code 5", "a second start(): already started",
            "child: run() of Process-2, whose pid is its own: true",
            "name Process-2, pid known, daemon false, is_alive false, exit_code 0"});
    if (scale == "0.05")
      follow({"name Process-3, pid known, daemon false, is_alive true, exit_code none", "join_for: timed out",
              "name Process-3, pid known, daemon false, is_alive false, exit_code -15",
              "name Process-4, pid known, daemon false, is_alive false, exit_code -9"});
    follow({"ready: true, is_alive false", "child of the child: runs as daemon", "the daemon has ended, too: true"});
  }
}

TEST_CASE("a program with processes that is killed leaves its daemons dead, and the others go on to their end") {
  e2e::Program api(e2e::app("16_process_api"), {"--time-scale", "0.03"});
  REQUIRE(api.read_until("join_for"));
  api.kill(SIGKILL);
  api.finish();
  e2e::Program program(e2e::app("16_process_class"), {"--time-scale", "1"});
  usleep(200'000);
  program.kill(SIGKILL);
  const auto ending = program.finish(); // when no process is left that holds the pipes
  CHECK(ending.by_signal(SIGKILL));
  CHECK(ending.lines().size() == 3);
}
