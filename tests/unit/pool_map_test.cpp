// Pool: many items, in chunks, and their results as a whole or as a stream.

#include "pool_test.hpp"

#include <rt/sync/event.hpp>

#include <algorithm>
#include <string>
#include <tuple>

using namespace pool_test;

TEST_CASE("map returns results in the order of the items, whatever the chunks") {
  rt::Pool pool(3);
  const auto numbers = first_numbers(2500);
  std::vector<int> expected;
  for (const int n : numbers) expected.push_back(2 * n);
  for (const std::size_t chunk : {0u, 1u, 7u, 2500u, 9999u}) {
    CAPTURE(chunk);
    CHECK(pool.map(twice, numbers, chunk).value() == expected);
  }
  CHECK(pool.map(twice, std::vector<int>()).value().empty());
  CHECK(pool.map([](const std::string& text) { return text + text; }, std::vector<std::string>{"a", "b"}).value() ==
        std::vector<std::string>{"aa", "bb"});
  CHECK(pool.map([](int) {}, numbers).ok());
}

TEST_CASE("map_async calls back once with all results") {
  rt::Pool pool(2);
  std::vector<int> seen;
  auto result = pool.map_async(twice, first_numbers(10), 3, [&](const std::vector<int>& all) { seen = all; });
  CHECK(result.get().value().size() == 10);
  CHECK(seen.size() == 10);
  CHECK(seen[9] == 18);
}

TEST_CASE("starmap spreads pairs and tuples over the arguments") {
  rt::Pool pool(2);
  const auto minus = [](int a, int b) { return a - b; };
  CHECK(pool.starmap(minus, std::vector<std::pair<int, int>>{{5, 2}, {2, 5}}).value() == std::vector<int>{3, -3});
  CHECK(pool.starmap(minus, std::vector<std::tuple<int, int>>{{1, 1}}).value() == std::vector<int>{0});
}

TEST_CASE("imap gives results in the order of the items, imap_unordered as they come") {
  const Mapped<rt::SharedEvent> go;
  rt::SharedEvent* const event = &*go;
  rt::Pool pool(2);
  const auto first_waits = [event](int n) {
    if (n == 0) event->wait();
    return n;
  };
  auto unordered = pool.imap_unordered(first_waits, first_numbers(5));
  std::vector<int> order;
  for (int i = 0; i < 4; ++i) order.push_back(unordered.next()->value());
  CHECK(std::count(order.begin(), order.end(), 0) == 0);
  CHECK(unordered.next_for(moment)->error() == Errc::timed_out);
  go->set();
  CHECK(unordered.next()->value() == 0);
  CHECK(!unordered.next());
  CHECK(!unordered.next());

  go->clear();
  auto ordered = pool.imap(first_waits, first_numbers(1000), 3);
  CHECK(ordered.next_for(moment)->error() == Errc::timed_out);
  go->set();
  int expected = 0;
  for (auto& result : ordered) CHECK(result.value() == expected++);
  CHECK(expected == 1000);
}

TEST_CASE("a failed item of imap is one error among the results") {
  rt::Pool pool(2);
  int lost = 0, values = 0;
  for (auto& result : pool.imap([](int n) { return n == 3 ? (die(), n) : n; }, first_numbers(6)))
    ++(result ? values : lost);
  CHECK(values == 5);
  CHECK(lost == 1);
}
