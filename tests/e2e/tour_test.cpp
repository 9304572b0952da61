// The tour, with small scripts in place of apps.

#include "run.hpp"

namespace {

std::string tour() { return e2e::app("tour"); }

void make_app(const std::string& path, const std::string& what_it_does) {
  std::ofstream(path) << "#!/bin/sh\n[ \"$1\" != --help ] || { echo \"about ${0##*/}\"; exit; }\n"
                      << what_it_does << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::ofstream(path + ".stripped") << std::string(1234, 'x');
  std::ofstream(path + ".o") << "not an app\n";
}

} // namespace

TEST_CASE("the tour runs the apps in order, introduces each, and ends with a table") {
  const e2e::TemporaryDirectory directory;
  make_app(directory.path() + "/10_second", "echo second $1 $2");
  make_app(directory.path() + "/08_first", "echo first $1 $2");
  make_app(directory.path() + "/hello", "echo hi, $# arguments");
  const auto ending = e2e::run(tour(), {directory.path(), "0.5"});
  INFO(ending.out, ending.err);
  CHECK(ending.by_exit(0));
  CHECK(ending.err == "");
  CHECK_FALSE(e2e::contains(ending.out, "\033"));
  const auto lines = ending.lines();
  REQUIRE(lines.size() == 3 * 3 + 4);
  CHECK(lines[0] == "hello: The smallest program: one line on standard output.");
  CHECK(lines[1] == "hi, 0 arguments");
  CHECK(lines[3] == "08_first: about 08_first");
  CHECK(lines[4] == "first --time-scale 0.5");
  CHECK(lines[6] == "10_second: about 10_second");
  CHECK(lines[7] == "second --time-scale 0.5");
  for (std::size_t row = 10; row < 13; ++row) {
    CAPTURE(lines[row]);
    CHECK(e2e::contains(lines[row], " ok "));
    CHECK(e2e::contains(lines[row], " 1234 bytes "));
    CHECK(lines[row].ends_with(" s"));
  }
}

TEST_CASE("the tour goes on after an app that fails, and fails itself") {
  const e2e::TemporaryDirectory directory;
  make_app(directory.path() + "/01_bad", "exit 3");
  make_app(directory.path() + "/02_good", "echo good");
  make_app(directory.path() + "/03_killed", "kill -9 $$");
  std::ofstream(directory.path() + "/04_not_executable") << "text\n";
  const auto ending = e2e::run(tour(), {directory.path(), "1"});
  INFO(ending.out, ending.err);
  CHECK(ending.by_exit(1));
  const auto lines = ending.lines();
  CHECK(e2e::contains(lines[e2e::places(lines, "01_bad").back()], "status 3"));
  CHECK(e2e::contains(lines[e2e::places(lines, "02_good").back()], " ok "));
  CHECK(e2e::contains(lines[e2e::places(lines, "03_killed").back()], "SIGKILL"));
  CHECK_FALSE(e2e::contains(ending.out, "04_not_executable"));
}

TEST_CASE("the tour says how it is used, and does not succeed without apps") {
  CHECK(e2e::run(tour()).by_exit(2));
  CHECK(e2e::run(tour(), {"/no/such/directory", "1"}).by_exit(2));
  CHECK(e2e::run(tour(), {"/", "fast"}).by_exit(2));
  CHECK(e2e::run(tour(), {"/", "1", "2"}).by_exit(2));
  CHECK(e2e::run(tour(), {"--help"}).by_exit(0));
  const e2e::TemporaryDirectory directory;
  CHECK(e2e::run(tour(), {directory.path(), "1"}).by_exit(1));
}
