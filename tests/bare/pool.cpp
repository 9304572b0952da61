// Pools of processes.

#include "check.hpp"

#include <rt/process/pool.hpp>

using namespace std::chrono_literals;

namespace {

int own_id() { return rt::kernel::process_id(); }

} // namespace

RT_CASE("a task runs in a worker and its result comes back") {
  rt::Pool pool(2);
  CHECK(pool.apply([](int a, int b) { return a + b; }, 40, 2).value() == 42);
  const int worker = pool.apply(own_id).value();
  CHECK(worker > 0);
  CHECK(worker != own_id());
}

RT_CASE("a map returns its results in the order of its items") {
  rt::Pool pool(3);
  std::vector<int> numbers;
  for (int i = 0; i < 5000; ++i) numbers.push_back(i);
  const auto squares = pool.map([](int n) { return n * n; }, numbers, 1).value();
  CHECK(squares.size() == numbers.size());
  for (int i = 0; i < 5000; ++i) CHECK(squares[static_cast<std::size_t>(i)] == i * i);
}
