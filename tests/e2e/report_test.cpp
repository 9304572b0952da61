// What a program says of its threads and fibers when it is asked to, or when one of them does not let the others run.

#include "run.hpp"

namespace {

std::string flows() {
  const char* build = std::getenv("RT_BUILD");
  return std::filesystem::absolute(std::filesystem::path(build ? build : "build") / "bare/tests/e2e/programs/flows");
}

/// The line of a thread or fiber, and how many addresses its backtrace has.
struct Part {
  std::string line;
  std::size_t depth = 0;
};

Part part_of(const std::vector<std::string>& lines, const std::string& who) {
  const std::size_t at = e2e::place(lines, "  " + who + " (id ");
  Part part{lines[at]};
  for (std::size_t i = at + 1; i < lines.size() && (lines[i].starts_with("    0x") || lines[i].starts_with("  called"));
       ++i)
    part.depth += lines[i].starts_with("    0x") ? 1 : 0;
  return part;
}

/// Is ignored, as a shell ignores it for what it starts in the background.
bool ignore_sigquit() { return std::signal(SIGQUIT, SIG_IGN) != SIG_ERR; }

} // namespace

TEST_CASE("SIGQUIT prints what each thread and fiber waits for and where it stands, and the program goes on") {
  for (const bool ignored : {false, true}) {
    CAPTURE(ignored);
    e2e::Setting setting;
    if (ignored) setting.before_execution = ignore_sigquit;
    e2e::Program program(flows(), {}, setting);
    REQUIRE(program.read_until("they wait\n"));
    program.kill(SIGQUIT);
    program.kill(SIGTERM);
    const auto ending = program.finish();
    INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
    CHECK(ending.by_exit(7));
    CHECK(ending.out == "they wait\nend\n");

    const auto lines = e2e::split_lines(ending.err);
    CHECK(lines[0].starts_with("threads and fibers of process "));
    const Part main = part_of(lines, "thread 'main'");
    CHECK(main.line.ends_with(" runs"));
    CHECK(main.depth >= 3);
    const Part holder = part_of(lines, "fiber 'holder'");
    CHECK(e2e::contains(holder.line, " waits on the word 0x"));
    CHECK(e2e::contains(holder.line, "ms so far"));
    CHECK(holder.depth >= 4);
    const Part locker = part_of(lines, "fiber 'locker'");
    CHECK(locker.depth >= 4);
    const Part sleeper = part_of(lines, "fiber 'sleeper'");
    CHECK(e2e::number_after(sleeper.line, "; at most ") > 3000);
    CHECK(e2e::number_after(sleeper.line, "; at most ") <= 3600);
    CHECK(part_of(lines, "fiber 'reader'").depth >= 4);
    const Part fresh = part_of(lines, "fiber 'fresh'");
    CHECK(fresh.line.ends_with(" has not begun"));
    CHECK(fresh.depth == 0);
    const Part plain = part_of(lines, "thread 'plain'");
    CHECK(e2e::contains(plain.line, " waits on the word 0x"));
    CHECK(plain.depth >= 3);
    CHECK(e2e::contains(part_of(lines, "thread 'other'").line, " waits, for "));
    CHECK(part_of(lines, "fiber 'remote'").depth >= 4);
  }
}

TEST_CASE("a program that handles SIGQUIT itself keeps its handler") {
  e2e::Program program(flows(), {"--own-sigquit"});
  REQUIRE(program.read_until("they wait\n"));
  program.kill(SIGQUIT);
  REQUIRE(program.read_until("own handler\n"));
  program.kill(SIGTERM);
  const auto ending = program.finish();
  CHECK(ending.by_exit(7));
  CHECK(ending.err == "");
}

TEST_CASE("the watchdog reports a fiber that keeps its hub, once, and where it stands") {
  const auto ending = e2e::run(flows(), {"--busy"});
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  CHECK(ending.by_exit(0));
  CHECK(ending.out == "end\n");
  const auto lines = e2e::split_lines(ending.err);
  CHECK(lines[0] == "watchdog: a hub has been kept for more than 50ms by");
  CHECK(e2e::places(lines, "watchdog").size() == 1);
  const Part busy = part_of(lines, "fiber 'busy'");
  CHECK(busy.line.ends_with(" runs"));
  CHECK(busy.depth >= 2);
}

TEST_CASE("a dead lock shows where both threads stand") {
  const auto ending = e2e::run(e2e::app("08_rlock"), {"--deadlock", "--time-scale", "0.05"});
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  CHECK(ending.by_signal(SIGABRT));
  const auto lines = e2e::split_lines(ending.err);
  std::size_t addresses = 0;
  for (const auto& line : lines) addresses += line.starts_with("    0x") ? 1 : 0;
  CHECK(addresses >= 8);
  CHECK(e2e::places(lines, "called from").size() == 2);
  const auto other = e2e::places(lines, ", for ");
  REQUIRE(other.size() == 1);
  CHECK(e2e::contains(lines[other[0]], " waits for lock 0x"));
  CHECK(e2e::contains(lines[other[0]], "ms so far"));
}
