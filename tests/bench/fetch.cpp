// 500 pages of 10,000 bytes fetched at once from an nginx on the loopback: rt::http::Client (a program of the bare
// profile, tests/bench/bare/fetch.cpp) against Go; and 500 that take half a second each, against one of them.

#include "measure.hpp"
#include "servers.hpp"

namespace {

constexpr int port = 18435;

double milliseconds_by(const std::string& program, const std::string& path, int count) {
  return bench::measured_by("taskset -c 1 " + program + " http://127.0.0.1:" + std::to_string(port) + path + " " +
                            std::to_string(count)) /
         1000;
}

} // namespace

int main(int, char** argv) {
  std::string program = argv[0];
  const std::string suffix = "/hosted/tests/bench/fetch", go = bench::beside_this_program("fetches");
  program.replace(program.rfind(suffix), suffix.size(), "/bare/tests/bench/bare/fetch");
  bench::Servers servers;
  std::ofstream(servers.folder() + "/quick") << std::string(10'000, 'x');
  std::ofstream(servers.folder() + "/slow") << std::string(10'000, 'x');
  std::filesystem::permissions(servers.folder(), std::filesystem::perms::all);
  servers.start_nginx(port, "location /slow { limit_rate 10000; }");
  bench::compare(
      "500 pages at once", "ms for all",
      {{"Go net/http", [&] { return milliseconds_by(go, "/quick", 500); }},
       {"rt::http::Client", [&] { return milliseconds_by(program, "/quick", 500); }, bench::at_most_of_the_first(1)}},
      9);
  bench::compare(
      "slow pages at once", "ms for all",
      {{"1 page", [&] { return milliseconds_by(program, "/slow", 1); }},
       {"500 pages", [&] { return milliseconds_by(program, "/slow", 500); }, bench::at_most_of_the_first(1.3)}},
      3);
}
