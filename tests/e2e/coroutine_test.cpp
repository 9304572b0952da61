// 12_concurrency_parallelism, 13_sync_async, 18_coroutine_yield, 18_greenlet, 18_gevent: flows that take turns.

#include "run.hpp"

#include <cmath>
#include <cstdio>
#include <map>
#include <thread>

namespace {

using Lines = std::vector<std::string>;

Lines run_scaled(const std::string& name, const std::string& factor) {
  const auto ending = e2e::run(e2e::app(name), {"--time-scale", factor});
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  REQUIRE(ending.by_exit(0));
  CHECK(ending.err == "");
  return ending.lines();
}

struct Bar {
  double milliseconds;
  std::size_t blocks;
};

// "2 threads                     110ms ███", by name.
std::map<std::string, Bar> bars(const Lines& lines) {
  constexpr std::string_view block = "█";
  std::map<std::string, Bar> found;
  for (const std::string name : {"one after the other", "2 fibers on one CPU", "2 threads", "2 processes"})
    for (const auto& line : lines) {
      if (!line.starts_with(name + " ")) continue;
      std::size_t blocks = 0;
      for (std::size_t at = 0; (at = line.find(block, at)) != line.npos; at += block.size()) ++blocks;
      const std::size_t time = line.find_first_not_of(' ', name.size());
      found[name] = {e2e::milliseconds_after(line, line.substr(0, time)), blocks};
    }
  return found;
}

// Whether two threads do two pieces of work clearly sooner than one thread does.
bool pair_gains() {
  const auto work = [] {
    for (volatile int i = 0; i < 50'000'000;) i = i + 1;
  };
  const auto seconds = [](auto what) {
    const auto begin = std::chrono::steady_clock::now();
    what();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double alone = seconds([&] { work(), work(); });
  const double together = seconds([&] {
    std::thread other(work);
    work();
    other.join();
  });
  return together < 0.7 * alone;
}

} // namespace

TEST_CASE("12_concurrency_parallelism: fibers, threads and processes do the same work, and each has its bar") {
  const auto lines = e2e::transcript("12_concurrency_parallelism");
  SHOW_TRANSCRIPT(lines);
  CHECK(e2e::number_after(lines[0], "below ") == 2'000'000);
  CHECK(e2e::places(lines, ": 148933 primes").size() == 4);
  const auto all = bars(lines);
  REQUIRE(all.size() == 4);
  double longest = 0;
  for (const auto& [name, bar] : all) longest = std::max(longest, bar.milliseconds);
  for (const auto& [name, bar] : all) {
    CAPTURE(name);
    // The nearest number of blocks; of longer times a line shows fewer digits than the bar was made of.
    CHECK(std::abs(static_cast<double>(bar.blocks) - 40 * bar.milliseconds / longest) < 1);
  }
  // Each half has 500,000 numbers, and lets the other go on after each 1,000.
  CHECK(e2e::number_after(lines[e2e::place(lines, "took turns")], "took turns ") >= 1000);
  CHECK(lines.back() == "end");
}

TEST_CASE("12_concurrency_parallelism: where two CPUs are to be had, threads and processes are faster than fibers") {
  // Others may keep the CPUs busy; what counts is what a pair of threads of the test itself gains in the same moments.
  bool threads = false, processes = false;
  int gains = 0;
  for (int attempt = 0; attempt < 20 && gains < 5 && !(threads && processes); ++attempt) {
    gains += pair_gains();
    auto all = bars(e2e::transcript("12_concurrency_parallelism"));
    const double fibers = all["2 fibers on one CPU"].milliseconds;
    threads = threads || all["2 threads"].milliseconds < 0.9 * fibers;
    processes = processes || all["2 processes"].milliseconds < 0.9 * fibers;
  }
  if (gains < 5 && !(threads && processes)) {
    std::puts("SKIPPED the times of 12_concurrency_parallelism: there was no second CPU to be had");
    return;
  }
  CHECK(threads);
  CHECK(processes);
}

TEST_CASE("12_concurrency_parallelism: its processes end when it is killed") {
  e2e::Program program(e2e::app("12_concurrency_parallelism"));
  REQUIRE(program.read_until("2 threads: ")); // the processes are next
  program.kill(SIGKILL);
  const auto ending = program.finish(); // the pipes end when no process is left that holds them
  CHECK(ending.in_time);
  CHECK(ending.err == "");
}

TEST_CASE("13_sync_async: three waits one after the other take the sum, three at once the longest") {
  const auto lines = run_scaled("13_sync_async", "0.5"); // 500, 300 and 200 ms
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 2 * (1 + 6 + 1) + 1);
  const Lines in_order = {"  eggs: begins", "  eggs: ready",   "  tea: begins",
                          "  tea: ready",   "  toast: begins", "  toast: ready"};
  const Lines at_once = {"  eggs: begins", "  tea: begins", "  toast: begins",
                         "  toast: ready", "  tea: ready",  "  eggs: ready"};
  CHECK(Lines(lines.begin() + 1, lines.begin() + 7) == in_order);
  CHECK(Lines(lines.begin() + 9, lines.begin() + 12) == Lines(at_once.begin(), at_once.begin() + 3));
  Lines ready(lines.begin() + 12, lines.begin() + 15), expected(at_once.begin() + 3, at_once.end());
  CHECK(ready == expected);
  const double synchronous = e2e::milliseconds_after(lines[7], "one after the other: "),
               asynchronous = e2e::milliseconds_after(lines[15], "all at once: ");
  CHECK(synchronous >= 1000);
  CHECK(asynchronous >= 500);
  CHECK((asynchronous < 1000 || e2e::in_one_try([] {
           return e2e::milliseconds_after(run_scaled("13_sync_async", "0.5")[15], "all at once: ") < 1000;
         })));
  CHECK(lines.back() == "end");
}

TEST_CASE("18_coroutine_yield: two guests wait in their yields, and get a bun each in every round") {
  const auto lines = e2e::transcript("18_coroutine_yield");
  SHOW_TRANSCRIPT(lines);
  Lines expected = {"Cook: opens", "Ann: is hungry", "Bob: is hungry"};
  for (int round = 1; round <= 5; ++round) {
    const auto first = std::to_string(2 * round - 1), second = std::to_string(2 * round);
    const auto eaten = std::to_string(round);
    expected.insert(expected.end(), {"Cook: bakes buns " + first + " and " + second, "Ann: eats bun " + first,
                                     "Bob: eats bun " + second, "Cook: Ann has had " + eaten + ", Bob " + eaten});
  }
  expected.insert(expected.end(),
                  {"Cook: closes", "Bob: goes home, with 5 buns eaten", "Ann: goes home, with 5 buns eaten", "end"});
  CHECK(e2e::join_lines(lines) == e2e::join_lines(expected));
}

TEST_CASE("18_greenlet: A and B alternate; main goes on when A has ended, and ends B") {
  const auto lines = e2e::transcript("18_greenlet");
  SHOW_TRANSCRIPT(lines);
  Lines expected = {"main: throws the ball to A"};
  for (int i = 1; i <= 10; ++i) expected.push_back((i % 2 == 1 ? "A: throw " : "B: throw ") + std::to_string(i));
  expected.insert(expected.end(), {"A: that was the last one, the game is over", "main: A is dead, B is stopped",
                                   "B: nobody throws any more", "main: A is dead, B is dead", "end"});
  CHECK(e2e::join_lines(lines) == e2e::join_lines(expected));
}

TEST_CASE("18_gevent: three pages are fetched side by side, in the time of the slowest and not of all") {
  const auto lines = run_scaled("18_gevent", "0.5"); // the server waits for 500, 150 and 300 ms
  SHOW_TRANSCRIPT(lines);
  REQUIRE(lines.size() == 3 + 3 + 2);
  const std::pair<std::string, long> pages[] = {{"/slow", 300'000}, {"/quick", 20'000}, {"/large", 1'000'000}};
  for (const auto& [path, size] : pages) {
    CAPTURE(path);
    std::size_t asked = lines.size(), received = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].starts_with("GET http://127.0.0.1:") && lines[i].ends_with(path)) asked = i;
      if (lines[i].starts_with(std::to_string(size) + " bytes received from http://127.0.0.1:") &&
          e2e::contains(lines[i], path + " after "))
        received = i;
    }
    CHECK(asked < 3); // all are asked for before the first one comes
    CHECK(received >= 3);
  }
  const std::string& total = lines[6];
  CHECK(total.starts_with("1320000 bytes in "));
  CHECK(e2e::milliseconds_after(total, " bytes in ") >= 500);
  CHECK((e2e::milliseconds_after(total, " bytes in ") < 950 || e2e::in_one_try([] {
           return e2e::milliseconds_after(run_scaled("18_gevent", "0.5")[6], " bytes in ") < 950;
         })));
  CHECK(e2e::milliseconds_after(total, "delays alone are ") == 950);
  CHECK(lines.back() == "end");
}

TEST_CASE(
    "18_gevent: where the loopback interface is down, each page that cannot be fetched is one line, and status 1") {
  const e2e::Setting without_network{.namespaces = CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER)};
  const auto ending = e2e::run(e2e::app("18_gevent"), {"--time-scale", "0.05"}, without_network);
  INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
  CHECK(ending.by_exit(1));
  const auto errors = e2e::split_lines(ending.err);
  REQUIRE(errors.size() == 3);
  for (const auto& error : errors)
    CHECK((error.starts_with("18_gevent: cannot fetch http://127.0.0.1:") && e2e::contains(error, "loopback")));
}
