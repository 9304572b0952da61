#include <rt/context/generator.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using rt::Generator;

namespace {

Generator<int> count_to(int last) {
  return Generator<int>([last](auto& yield) {
    for (int i = 1; i <= last; ++i)
      if (!yield(i)) return;
  });
}

struct Flag {
  bool& raised;
  ~Flag() { raised = true; }
};

// Yields from a depth of calls.
template <class Yield> bool walk(Yield& yield, int depth) {
  if (depth == 0) return true;
  return walk(yield, depth - 1) && yield(depth) && walk(yield, depth - 1);
}

} // namespace

TEST_CASE("a generator hands out what its body yields, then nothing") {
  auto numbers = count_to(3);
  CHECK(numbers.next() == 1);
  CHECK(numbers.next() == 2);
  CHECK_FALSE(numbers.done());
  CHECK(numbers.next() == 3);
  CHECK_FALSE(numbers.done());
  CHECK(numbers.next() == std::nullopt);
  CHECK(numbers.done());
  CHECK(numbers.next() == std::nullopt);
}

TEST_CASE("a generator's body does not begin before the first next") {
  bool begun = false;
  Generator<int> generator([&](auto& yield) {
    begun = true;
    yield(1);
  });
  CHECK_FALSE(begun);
  CHECK(generator.next() == 1);
  CHECK(begun);
}

TEST_CASE("a generator is a range") {
  std::vector<int> seen;
  for (int n : count_to(5)) seen.push_back(n);
  CHECK(seen == std::vector{1, 2, 3, 4, 5});
}

TEST_CASE("what next has taken is not in the range any more") {
  auto numbers = count_to(3);
  CHECK(numbers.next() == 1);
  int sum = 0;
  for (int n : numbers) sum += n;
  CHECK(sum == 5);
}

TEST_CASE("a sent value is what yield returns") {
  Generator<int, std::string> lengths([](auto& yield) {
    std::string text = yield(0);
    while (auto next = yield(static_cast<int>(text.size()))) text = *next;
  });
  CHECK(lengths.next() == 0);
  CHECK(lengths.send("four") == 4);
  CHECK(lengths.send("") == 0);
  CHECK(lengths.send(std::string(1000, 'x')) == 1000);
}

TEST_CASE("next sends an empty value where values are sent") {
  Generator<int, int> sums([](auto& yield) {
    int sum = 100;
    for (;;) sum += static_cast<int>(yield(sum));
  });
  CHECK(sums.next() == 100);
  CHECK(sums.next() == 100);
  CHECK(sums.send(5) == 105);
}

TEST_CASE("a body may yield from any depth of calls") {
  Generator<int> moves([](auto& yield) { walk(yield, 4); });
  std::vector<int> seen;
  for (int n : moves) seen.push_back(n);
  CHECK(seen == std::vector{1, 2, 1, 3, 1, 2, 1, 4, 1, 2, 1, 3, 1, 2, 1});
}

TEST_CASE("values that can only be moved go through a generator") {
  Generator<std::unique_ptr<int>, std::unique_ptr<int>> echo([](auto& yield) {
    std::unique_ptr<int> got = yield(std::make_unique<int>(1));
    while (got) got = yield(std::move(got));
  });
  CHECK(**echo.next() == 1);
  CHECK(**echo.send(std::make_unique<int>(7)) == 7);
  CHECK_FALSE(echo.next());
}

TEST_CASE("a body that is told that nobody wants more returns, and its objects are destroyed") {
  bool destroyed = false;
  {
    Generator<int> generator([&](auto& yield) {
      const Flag flag{destroyed};
      for (int i = 0; yield(i); ++i) {
      }
    });
    CHECK(generator.next() == 0);
    CHECK(generator.next() == 1);
    CHECK_FALSE(destroyed);
  }
  CHECK(destroyed);
}

TEST_CASE("a body that is sent values can ask whether there will be more") {
  bool destroyed = false;
  std::vector<int> got;
  {
    Generator<int, int> generator([&](auto& yield) {
      const Flag flag{destroyed};
      while (const auto value = yield(0)) got.push_back(*value);
    });
    generator.next();
    generator.send(1);
    generator.send(2);
  }
  CHECK(destroyed);
  CHECK(got == std::vector{1, 2});
}

TEST_CASE("a body that does not look is left where it stands") {
  int steps = 0, got = 0;
  {
    Generator<int> generator([&](auto& yield) {
      for (;;) {
        yield(steps);
        ++steps;
      }
    });
    generator.next();
    generator.next();
    Generator<int, int> consumer([&](auto& yield) {
      for (;;) got += static_cast<int>(yield(0));
    });
    consumer.next();
    consumer.send(3);
  }
  CHECK(steps == 1);
  CHECK(got == 3);
}

TEST_CASE("the function of a generator is destroyed with it, begun or not") {
  auto shared = std::make_shared<int>(1);
  {
    Generator<int> never_begun([shared](auto& yield) { yield(*shared); });
    Generator<int> ended([shared](auto& yield) { yield(*shared); });
    while (ended.next()) {
    }
    CHECK(shared.use_count() == 2);
  }
  CHECK(shared.use_count() == 1);
}

TEST_CASE("a generator can be moved while its body is stopped") {
  auto numbers = count_to(3);
  CHECK(numbers.next() == 1);
  Generator<int> moved(std::move(numbers));
  CHECK(moved.next() == 2);
  numbers = std::move(moved);
  CHECK(numbers.next() == 3);
}

TEST_CASE("generators nest") {
  Generator<int> squares([](auto& yield) {
    for (int n : count_to(4))
      if (!yield(n * n)) return;
  });
  int sum = 0;
  for (int n : squares) sum += n;
  CHECK(sum == 30);
}

TEST_CASE("a floating-point computation goes on across yields") {
  Generator<double> series([](auto& yield) {
    double sum = 0, term = 1;
    for (int n = 1; yield(sum += term); ++n) term /= n;
  });
  double value = 0;
  for (int i = 0; i < 20; ++i) value = *series.next() * 1.0;
  CHECK(value == doctest::Approx(2.718281828459045));
}

TEST_CASE("two thousand generators live at once") {
  std::vector<Generator<int>> all;
  for (int i = 0; i < 2'000; ++i) all.push_back(count_to(i % 7));
  int sum = 0;
  for (int round = 0; round < 7; ++round)
    for (auto& generator : all) sum += generator.next().value_or(0);
  int expected = 0;
  for (int i = 0; i < 2'000; ++i) expected += (i % 7) * (i % 7 + 1) / 2;
  CHECK(sum == expected);
}
