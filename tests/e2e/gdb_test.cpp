// rt/hub/fibers-gdb.py: fibers in the debugger.

#include "run.hpp"

namespace {

std::string program() {
  const char* build = std::getenv("RT_BUILD");
  return std::filesystem::absolute(std::filesystem::path(build ? build : "build") / "bare/tests/e2e/programs/flows");
}

/// What gdb prints when it has stopped the program where its main waits, and executes the commands.
std::vector<std::string> in_gdb(const std::vector<std::string>& commands) {
  std::vector<std::string> arguments = {"-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"};
  const auto add = [&](const std::string& command) { arguments.insert(arguments.end(), {"-ex", command}); };
  add("set width 0");
  add("set startup-with-shell off"); // whatever SHELL is
  add("source rt/hub/fibers-gdb.py");
  add("break rt::kernel::wait_for_signal");
  add("run");
  for (const auto& command : commands) add(command);
  add("kill");
  arguments.push_back(program());
  const auto ending = e2e::run("/usr/bin/gdb", arguments);
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  REQUIRE(e2e::contains(ending.out, "hit Breakpoint 1"));
  return e2e::split_lines(ending.out + ending.err);
}

/// The id that `info rt-fibers` lists for the name.
std::string id_of(const std::vector<std::string>& lines, const std::string& name) {
  const std::string& line = lines[e2e::place(lines, " " + name + " ")];
  const std::size_t begin = line.find_first_of("0123456789");
  return line.substr(begin, line.find(' ', begin) - begin);
}

} // namespace

TEST_CASE("info rt-fibers lists the fibers of all threads and what they wait for") {
  const auto lines = in_gdb({"info rt-fibers"});
  SHOW_TRANSCRIPT(lines);
  const auto line = [&](const std::string& name) { return lines[e2e::place(lines, " " + name + " ")]; };
  CHECK(line("main").starts_with("* "));
  CHECK(e2e::contains(line("main"), " runs"));
  CHECK(line("holder").starts_with("  "));
  CHECK(e2e::contains(line("holder"), " waits on the word 0x"));
  CHECK(e2e::contains(line("reader"), " waits, for "));
  CHECK(e2e::contains(line("fresh"), " has not begun"));
  CHECK(e2e::contains(line("remote"), " waits on the word 0x"));
  CHECK(id_of(lines, "holder") != id_of(lines, "reader"));
}

TEST_CASE("rt-bt shows where a fiber stands, whatever thread is selected, and leaves that one as it was") {
  // Ids are given in the order in which fibers are made.
  const auto lines = in_gdb({"rt-bt 4194304", "echo --\\n", "rt-bt 4194306", "echo --\\n", "bt", "echo --\\n",
                             "rt-bt 4194308", "echo --\\n", "rt-bt 1", "rt-bt"});
  SHOW_TRANSCRIPT(lines);
  const auto ends = e2e::places(lines, "--");
  REQUIRE(ends.size() == 4);
  const auto part = [&](std::size_t begin, std::size_t end) {
    return std::vector<std::string>(lines.begin() + static_cast<long>(begin), lines.begin() + static_cast<long>(end));
  };
  const auto holder = part(e2e::place(lines, "4194304 'holder' waits"), ends[0]);
  const auto reader = part(ends[0], ends[1]), main = part(ends[1], ends[2]), fresh = part(ends[2], ends[3]);

  CHECK(holder[1].starts_with("#0 "));
  CHECK(e2e::place(holder, "BasicEvent") < e2e::place(holder, "wait_in_the_holder"));
  CHECK(e2e::contains(holder.back(), "rt_context_entry"));
  CHECK(e2e::place(reader, "wait_in_the_reader") < e2e::place(reader, "rt_context_entry"));
  CHECK(e2e::places(main, "wait_in_the").empty());
  CHECK(e2e::contains(main[1], "#0  rt::kernel::wait_for_signal"));
  CHECK(e2e::contains(main.back(), "_start"));
  REQUIRE(fresh.size() == 2);
  CHECK(e2e::contains(fresh[1], "'fresh' has not begun"));
  CHECK(e2e::places(lines, "there is no fiber 1; `info rt-fibers` lists them").size() == 1);
  CHECK(e2e::places(lines, "which one? rt-bt ID").size() == 1);
}
