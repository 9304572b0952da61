// Each folder of rt/ uses only those above it.

#include "run.hpp"

#include <algorithm>
#include <regex>

TEST_CASE("each folder of rt uses only those above it") {
  const std::vector<std::string> order = {"base", "kernel", "start", "memory", "context",
                                          "sync", "thread", "hub",   "io",     "process"};
  const auto place = [&](const std::string& folder) { return std::find(order.begin(), order.end(), folder); };
  const std::regex include("^#include <rt/([a-z]+)/");
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("rt")) {
    if (!entry.is_regular_file() || !std::regex_match(entry.path().extension().string(), std::regex(R"(\.[ch]pp)")))
      continue;
    const std::string folder = entry.path().parent_path().filename();
    if (folder == "rt") continue; // rt.hpp, which is all of them
    REQUIRE(place(folder) != order.end());
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch used;
      if (!std::regex_search(line, used, include)) continue;
      INFO(entry.path().string(), ": ", line);
      CHECK(place(used[1]) <= place(folder));
      ++seen;
    }
  }
  CHECK(seen > 100);
}
