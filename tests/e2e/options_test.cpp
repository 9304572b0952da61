// What all apps have in common: their options, and how they end when something outside them goes wrong.

#include "run.hpp"

using namespace std::chrono_literals;

namespace {

const std::vector<std::string> fast = {"--time-scale", "0.05"};
const std::vector<std::string> without_processes = {
    "08_rlock",
    "09_event",
    "10_semaphore",
    "11_unsafe_list",
    "11_queue",
    "11_producer_consumer",
    "13_sync_async",
    "18_coroutine_yield",
    "18_greenlet",
    "18_gevent",
    "19_async_io",
    "19_blocking_server",
    "19_blocking_client",
    "19_nonblocking_server",
    "19_nonblocking_client",
    "19_select_server",
    "19_select_client",
    "19_selectors_server",
    "19_selectors_client",
};

} // namespace

TEST_CASE("all apps are built") {
  const auto names = e2e::numbered_apps();
  auto expected = without_processes;
  expected.insert(expected.end(), {"12_concurrency_parallelism", "14_task_types", "16_process_function",
                                   "16_process_class", "16_process_api", "17_manager", "17_pipe", "17_pool",
                                   "17_process_lock", "17_process_queue", "18_multicore", "19_buffered_io"});
  for (const auto& name : expected) {
    CAPTURE(name);
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}

TEST_CASE("--help says what the app shows, lists the options, and succeeds") {
  for (const auto& name : e2e::numbered_apps()) {
    CAPTURE(name);
    const auto ending = e2e::run(e2e::app(name), {"--help"});
    CHECK(ending.by_exit(0));
    CHECK(ending.err == "");
    const auto lines = ending.lines();
    REQUIRE(lines.size() > 3);
    CHECK(lines[0].size() > 20);
    CHECK(lines[0].size() <= 100);
    CHECK(e2e::contains(ending.out, "Usage: " + name + " "));
    CHECK(e2e::contains(ending.out, "\n  --time-scale FACTOR "));
    CHECK(e2e::contains(ending.out, "\n  --help "));
    CHECK(e2e::contains(ending.out, "\n  --deadlock ") == (name == "08_rlock"));
  }
}

TEST_CASE("--help wins over whatever else is given") {
  CHECK(e2e::run(e2e::app("08_rlock"), {"--deadlock", "--time-scale", "x", "y", "--help"}).by_exit(0));
}

TEST_CASE("wrong arguments are one line on standard error and status 2") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"--no-such-option"}, "'--no-such-option'"},
      {{"--time-scal", "1"}, "'--time-scal'"},
      {{"word"}, "'word'"},
      {{""}, "''"},
      {{"--help="}, "'--help='"},
      {{"a", "b", "c"}, "'a'"},
      {{"--time-scale"}, "'--time-scale' needs a number"},
      {{"--time-scale", ""}, "'--time-scale' needs a number"},
      {{"--time-scale", "0"}, "'--time-scale' needs a number"},
      {{"--time-scale", "0.0000001"}, "'--time-scale' needs a number"},
      {{"--time-scale", "-1"}, "'--time-scale' needs a number"},
      {{"--time-scale", "+1"}, "'--time-scale' needs a number"},
      {{"--time-scale", "fast"}, "'--time-scale' needs a number"},
      {{"--time-scale", "1x"}, "'--time-scale' needs a number"},
      {{"--time-scale", " 1"}, "'--time-scale' needs a number"},
      {{"--time-scale", "1e-3"}, "'--time-scale' needs a number"},
      {{"--time-scale", "0,5"}, "'--time-scale' needs a number"},
      {{"--time-scale", "1.2.3"}, "'--time-scale' needs a number"},
      {{"--time-scale", "."}, "'--time-scale' needs a number"},
      {{"--time-scale", "nan"}, "'--time-scale' needs a number"},
      {{"--time-scale", "1000.1"}, "'--time-scale' needs a number"},
      {{"--time-scale", "18446744073709551617"}, "'--time-scale' needs a number"},
      {{"--time-scale", std::string(1000, '9')}, "'--time-scale' needs a number"},
      {{"--time-scale", "1", "--time-scale"}, "'--time-scale' needs a number"},
      {{"--time-scale", "x", "word"}, "'--time-scale' needs a number"},
  };
  for (const auto& name : e2e::numbered_apps())
    for (const auto& each : wrong) {
      const auto& arguments = each.first;
      const auto& message = each.second;
      CAPTURE(name);
      CAPTURE(message);
      CAPTURE(arguments.back());
      const auto ending = e2e::run(e2e::app(name), arguments);
      CHECK(ending.by_exit(2));
      CHECK(ending.out == "");
      CHECK(e2e::split_lines(ending.err).size() == 1);
      CHECK(ending.err.starts_with(name + ": "));
      CHECK(e2e::contains(ending.err, message));
      CHECK(ending.err.ends_with("see --help\n"));
    }
}

TEST_CASE("--deadlock is an option of 08_rlock only") {
  CHECK(e2e::run(e2e::app("09_event"), {"--deadlock"}).by_exit(2));
  CHECK(e2e::run(e2e::app("08_rlock"), {"--time-scale", "--deadlock"}).by_exit(2));
}

TEST_CASE("--time-scale multiplies the sleeps") {
  // 08_rlock sleeps six times for 1.5 seconds, one sleep after the other.
  for (const std::string factor : {".02", "0.05", "0000.0500000000000000000"}) {
    CAPTURE(factor);
    const double sleeps = 6 * 1.5 * std::stod(factor);
    const auto ending = e2e::run(e2e::app("08_rlock"), {"--time-scale", factor});
    CHECK(ending.by_exit(0));
    CHECK(ending.seconds >= sleeps);
    CHECK(ending.seconds < sleeps + 5);
  }
  const auto last_one_counts = e2e::run(e2e::app("08_rlock"), {"--time-scale", "1000", "--time-scale", "0.000001"});
  CHECK(last_one_counts.by_exit(0));
}

TEST_CASE("all that the apps show is there even when the sleeps are next to nothing") {
  for (const std::string name : {"09_event", "11_queue", "11_producer_consumer", "13_sync_async", "18_coroutine_yield",
                                 "18_greenlet", "18_gevent"}) {
    CAPTURE(name);
    const auto ending = e2e::run(e2e::app(name), {"--time-scale", "0.000001"});
    CHECK(ending.by_exit(0));
    REQUIRE(ending.out != "");
    CHECK(ending.lines().back() == "end");
  }
}

TEST_CASE("a reader that goes away ends the app, as it ends any program: by SIGPIPE and without a report") {
  for (const auto& name : without_processes) {
    CAPTURE(name);
    const auto ending = e2e::run(e2e::app(name), fast, {.output = e2e::Output::without_reader});
    CHECK(ending.by_signal(SIGPIPE));
    CHECK(ending.err == "");
  }
}

TEST_CASE("where SIGPIPE is ignored, or standard output is closed, the app does its work unseen") {
  for (const auto& name : without_processes) {
    CAPTURE(name);
    const auto ignored =
        e2e::run(e2e::app(name), fast, {.output = e2e::Output::without_reader, .ignore_sigpipe = true});
    CHECK(ignored.by_exit(0));
    CHECK(ignored.err == "");
    const auto closed = e2e::run(e2e::app(name), fast, {.output = e2e::Output::closed});
    CHECK(closed.by_exit(0));
    CHECK(closed.err == "");
  }
}

TEST_CASE("an app that is killed half-way leaves nothing behind") {
  for (const auto& name : without_processes)
    for (const int signal : {SIGKILL, SIGTERM, SIGINT}) {
      CAPTURE(name);
      CAPTURE(signal);
      const e2e::TemporaryDirectory directory;
      e2e::Program program(e2e::app(name), {"--time-scale", "10"}, {.directory = directory.path()});
      REQUIRE(program.read_until("\n"));
      program.kill(signal);
      const auto ending = program.finish(); // the pipes end when no process is left that holds them
      CHECK(ending.by_signal(signal));
      CHECK(ending.err == "");
      CHECK(ending.seconds < 30);
      CHECK(directory.empty());
    }
}
