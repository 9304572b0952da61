// Pools of processes.

#include "check.hpp"

#include <rt/hub/fiber.hpp>
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

RT_CASE("a worker that is killed, exits or crashes fails its own task only") {
  rt::Pool pool(2);
  CHECK(pool.apply([] { (void)rt::kernel::send_signal(own_id(), rt::kernel::Signal::sigkill); }).error() ==
        rt::Errc::worker_lost);
  CHECK(pool.apply([] { rt::kernel::exit_process(0); }).error() == rt::Errc::worker_lost);
  CHECK(pool.apply([] { return 4; }).value() == 4);
  int values = 0, lost = 0;
  std::vector<int> numbers(100);
  for (int i = 0; i < 100; ++i) numbers[static_cast<std::size_t>(i)] = i;
  for (auto& result : pool.imap(
           [](int n) {
             if (n == 50) rt::kernel::exit_process(1);
             return n;
           },
           numbers))
    ++(result ? values : lost);
  CHECK(values == 99);
  CHECK(lost == 1);
}

RT_CASE("callbacks run in the parent, and join waits for them") {
  std::atomic<int> sum = 0, elsewhere = 0;
  const int parent = own_id();
  rt::Pool pool(3);
  for (int i = 1; i <= 50; ++i)
    pool.apply_async([](int n) { return 2 * n; }, i,
                     [&](int n) {
                       sum += n;
                       elsewhere += own_id() != parent;
                     });
  CHECK(pool.join().error() == rt::Errc::still_open);
  pool.close();
  CHECK(pool.join().ok());
  CHECK(sum == 50 * 51);
  CHECK(elsewhere == 0);
}

RT_CASE("large messages travel both ways") {
  rt::Pool pool(2);
  const std::string text(3'000'000, 'x');
  for (int i = 0; i < 2; ++i)
    CHECK(pool.apply([](std::string all) { return all + "!"; }, text).value().size() == text.size() + 1);
}

RT_CASE("a fiber that waits for a worker lets the others run") {
  rt::Pool pool(2);
  int steps = 0;
  bool done = false;
  auto waiting = rt::spawn([&] {
    const int result = pool.apply([] { return rt::sleep_for(20ms), 1; }).value();
    done = true;
    return result;
  });
  auto other = rt::spawn([&] {
    while (!done) {
      rt::sleep_for(1ms);
      ++steps;
    }
  });
  CHECK(waiting.join() == 1);
  other.join();
  CHECK(steps > 0);
}

RT_CASE("a task that takes too long is ended, and a pool is terminated with tasks that never end") {
  rt::Pool pool(2);
  const auto for_ever = [] {
    for (;;) rt::sleep_for(1h);
  };
  auto late = pool.apply_async(rt::TaskOptions{.timeout = 20ms}, for_ever);
  auto never = pool.apply_async(for_ever);
  CHECK(late.get().error() == rt::Errc::timed_out);
  pool.terminate();
  CHECK(pool.join().ok());
  CHECK(never.get().error() == rt::Errc::canceled);
}

RT_CASE("a task has a pool of its own") {
  rt::Pool pool(2);
  const auto inner = [](int n) {
    rt::Pool own(2);
    return own.map([](int i) { return i + 1; }, std::vector<int>(static_cast<std::size_t>(n), n), 1).value().back();
  };
  CHECK(pool.map(inner, std::vector<int>{3, 4}, 1).value() == (std::vector<int>{4, 5}));
}
