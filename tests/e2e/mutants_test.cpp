// The mistakes that `make mutants` makes, to see whether the model finds them.

#include "run.hpp"

TEST_CASE("each mistake of the list is an edit of the sources as they are") {
  std::ifstream list("tests/model/mutants.list");
  std::string name, file;
  int seen = 0;
  for (std::string line; std::getline(list, line);) {
    const auto value = line.substr(std::min(line.size(), line.find(' ') + 1));
    if (line.starts_with("name: ")) name = value;
    if (line.starts_with("file: ")) file = value;
    if (!line.starts_with("edit: ")) continue;
    CAPTURE(name);
    CHECK(e2e::run("/usr/bin/sed", {value, file}).out != e2e::run("/usr/bin/cat", {file}).out);
    ++seen;
  }
  CHECK(seen > 50);
}

TEST_CASE("the model finds a mistake") {
  const auto mutants = e2e::run("/usr/bin/make", {"--no-print-directory", "mutants", "MUTANT=a spinning waiter"});
  CHECK(e2e::contains(mutants.out, "1 passed, 0 failed"));
  CHECK(mutants.status == 0);
}
