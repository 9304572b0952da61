// Pool: tasks, their results and errors, and what becomes of them when workers die.

#include "sync_test.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/process/pool.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/semaphore.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <dirent.h>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

using namespace sync_test;
using rt::Errc, rt::Result;

namespace {

using Counter = Mapped<std::atomic<int>>;

int twice(int n) { return 2 * n; }
void sleep_long() { rt::sleep_for(limit); }
void die() { kill(getpid(), SIGKILL); }

std::vector<int> first_numbers(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::set<std::string> open_descriptors() {
  std::set<std::string> found;
  DIR* const directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory))
    if (std::atoi(entry->d_name) != dirfd(directory)) found.insert(entry->d_name);
  closedir(directory);
  return found;
}

/// Those that were not busy for long.
std::set<int> workers_of(rt::Pool& pool) {
  const auto process = [](int) {
    rt::sleep_for(1ms);
    return getpid();
  };
  const auto all = pool.map(process, first_numbers(5 * static_cast<int>(pool.workers())), 1).value();
  return {all.begin(), all.end()};
}

bool exists(int process) { return kill(process, 0) == 0; }

} // namespace

TEST_CASE("apply calls the function in another process and returns what it returns") {
  rt::Pool pool(2);
  CHECK(pool.apply(twice, 21).value() == 42);
  CHECK(pool.apply([](int a, double b, char c) { return a + b + c; }, 1, 2.5, '\1').value() == 4.5);
  const int other = pool.apply([] { return getpid(); }).value();
  CHECK(other != getpid());
  CHECK(pool.apply([] { return getppid(); }).value() == getpid());
  CHECK(pool.workers() == 2);
}

TEST_CASE("without a number there is a worker for each CPU") { CHECK(rt::Pool().workers() == rt::cpu_count()); }

TEST_CASE("functions that return nothing, and lambdas with captures") {
  const Counter counter(0);
  std::atomic<int>* const shared = &*counter;
  rt::Pool pool(1);
  CHECK(pool.apply([shared](int n) { *shared += n; }, 5).ok());
  CHECK(*counter == 5);
  int captured = 7;
  const auto add = [captured](int n) { return captured + n; };
  captured = 0;
  CHECK(pool.apply(add, 1).value() == 8);
}

TEST_CASE("texts, vectors, pairs, tuples and views travel") {
  rt::Pool pool(1);
  CHECK(pool.apply([](std::string text, std::string_view view) { return text + std::string(view); },
                   std::string("one and "), std::string_view("two"))
            .value() == "one and two");
  const std::vector<std::string> words = {"", "a", "longer than what fits into a string without the heap"};
  CHECK(pool.apply([](const std::vector<std::string>& all) { return all; }, words).value() == words);
  using Mixed = std::pair<std::string, std::tuple<int, std::vector<bool>>>;
  const Mixed mixed{"name", {3, {true, false, true}}};
  CHECK(pool.apply([](Mixed value) { return value; }, mixed).value() == mixed);
}

TEST_CASE("values travel, and what cannot be encoded is an error of its task") {
  rt::Pool pool(1);
  const rt::Value message = {12, rt::Value::Map{{"name", "alice"}}, "hello", nullptr, 1.5};
  const auto twofold = [](rt::Value value) { return rt::Value{value, value}; };
  CHECK(pool.apply(twofold, message).value() == rt::Value{message, message});
  CHECK(pool.map(twofold, std::vector<rt::Value>{1, "two", rt::Value::List(1000, message)}, 2).value()[1] ==
        rt::Value{"two", "two"});
  CHECK(pool.apply(twofold, rt::Value("\xff")).error() == Errc::illegal_byte_sequence);
  CHECK(pool.apply([] { return rt::Value("\xff"); }).error() == Errc::illegal_byte_sequence);
  auto results = pool.imap(twofold, std::vector<rt::Value>{1, "\xff", 3});
  CHECK(results.next()->value() == rt::Value{1, 1});
  CHECK(results.next()->error() == Errc::illegal_byte_sequence);
  CHECK(results.next()->value() == rt::Value{3, 3});
}

TEST_CASE("messages of many megabytes travel both ways, and leave no memory behind") {
  rt::Pool pool(2);
  for (const std::size_t size : {199u, 208u, 209u, 4096u, 4097u, 1u << 16, 20u << 20}) {
    CAPTURE(size);
    const std::string text(size, 'x');
    for (int i = 0; i < 3; ++i) {
      const auto back = pool.apply(
          [](std::string all) {
            std::reverse(all.begin(), all.end());
            all += '!';
            return all;
          },
          text);
      REQUIRE(back.ok());
      CHECK(back->size() == size + 1);
      CHECK(back->back() == '!');
    }
  }
  rt::Pool small({.workers = 1, .shared_memory = 1 << 20});
  const std::string half(600'000, 'x');
  for (int i = 0; i < 10; ++i)
    CHECK(small.apply([](std::string text) { return text.size(); }, half).value() == 600'000);
  CHECK(small.apply([](std::string text) { return text; }, half).error() == Errc::not_enough_memory);
  CHECK(small.apply([](std::string text) { return text.size(); }, half + half).error() == Errc::not_enough_memory);
  CHECK(small.apply([](std::string text) { return text.size(); }, half).value() == 600'000);
}

TEST_CASE("many large messages wait for room instead of failing") {
  rt::Pool pool({.workers = 2, .shared_memory = 1 << 20});
  std::vector<std::string> items(50, std::string(300'000, 'x'));
  const auto sizes = pool.map([](const std::string& text) { return text.size(); }, items, 1);
  REQUIRE(sizes.ok());
  CHECK(*sizes == std::vector<std::size_t>(50, 300'000));
}

TEST_CASE("a function may return a Result, whose error becomes the task's") {
  rt::Pool pool(1);
  const auto half = [](int n) -> Result<int> {
    if (n % 2) return Errc::argument_out_of_domain;
    return n / 2;
  };
  CHECK(pool.apply(half, 4).value() == 2);
  CHECK(pool.apply(half, 5).error() == Errc::argument_out_of_domain);
  CHECK(pool.apply([]() -> Result<void> { return Errc::too_many_links; }).error() == Errc::too_many_links);
  CHECK(pool.map(half, std::vector<int>{2, 4}).value() == std::vector<int>{1, 2});
  CHECK(pool.map(half, std::vector<int>{2, 3, 4}).error() == Errc::argument_out_of_domain);
}

TEST_CASE("apply_async returns at once, and its result can be asked for again and again") {
  const Mapped<rt::SharedEvent> go;
  rt::SharedEvent* const event = &*go;
  rt::Pool pool(2);
  auto result = pool.apply_async([event](int n) { return event->wait(), n; }, 3);
  CHECK(!result.ready());
  CHECK(!result.successful());
  CHECK(result.get_for(moment).error() == Errc::timed_out);
  CHECK(result.wait_for(moment).error() == Errc::timed_out);
  go->set();
  CHECK(result.wait_for(limit).ok());
  CHECK(result.ready());
  CHECK(result.successful());
  CHECK(result.get().value() == 3);
  const auto copy = result;
  CHECK(copy.get().value() == 3);
}

TEST_CASE("callbacks run in the parent, before the result is ready, and one of the two") {
  rt::Pool pool(2);
  std::atomic<int> value = 0, process = 0, errors = 0;
  const auto callback = [&](int n) {
    rt::sleep_for(moment);
    process = getpid();
    value = n;
  };
  const auto error_callback = [&](rt::Error error) { errors += error == Errc::worker_lost; };
  CHECK(pool.apply_async(twice, 4, callback).get().value() == 8);
  CHECK(value == 8);
  CHECK(process == getpid());
  CHECK(pool.apply_async(twice, 5, callback, error_callback).get().value() == 10);
  CHECK(value == 10);
  CHECK(errors == 0);
  CHECK(pool.apply_async(die, nullptr, error_callback).get().error() == Errc::worker_lost);
  CHECK(errors == 1);
  std::atomic<bool> called = false;
  pool.apply_async([] {}, [&] { called = true; }).wait().value();
  CHECK(called);
}

TEST_CASE("callbacks come although nobody waits for results") {
  std::atomic<int> sum = 0;
  {
    rt::Pool pool(3);
    for (int i = 1; i <= 100; ++i) pool.apply_async(twice, i, [&](int n) { sum += n; });
    pool.close();
    pool.join().value();
  }
  CHECK(sum == 100 * 101);
}

TEST_CASE("a callback can give the pool another task, but not wait for it") {
  rt::Pool pool(1);
  std::atomic<int> second = 0;
  std::atomic<Errc> waited = Errc::none, joined = Errc::none, applied = Errc::none;
  rt::Event done;
  pool.apply_async(twice, 1, [&](int n) {
    auto next = pool.apply_async(twice, n, [&](int m) {
      second = m;
      done.set();
    });
    waited = next.get().error().code;
    applied = pool.apply(twice, 1).error().code;
    pool.close();
    joined = pool.join().error().code;
  });
  CHECK(done.wait_for(limit).ok());
  CHECK(second == 4);
  CHECK(waited.load() == Errc::deadlock);
  CHECK(applied.load() == Errc::deadlock);
  CHECK(joined.load() == Errc::deadlock);
}

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

TEST_CASE("a pool that is not closed cannot be joined, and one that is takes no more tasks") {
  rt::Pool pool(2);
  CHECK(pool.join().error() == Errc::still_open);
  auto last = pool.apply_async(twice, 1);
  pool.close();
  CHECK(pool.apply(twice, 1).error() == Errc::closed);
  CHECK(pool.apply_async(twice, 1).get().error() == Errc::closed);
  CHECK(pool.map(twice, first_numbers(3)).error() == Errc::closed);
  auto stream = pool.imap(twice, first_numbers(3));
  CHECK(stream.next()->error() == Errc::closed);
  CHECK(!stream.next());
  CHECK(pool.join().ok());
  CHECK(last.get().value() == 2);
  CHECK(pool.join().ok());
}

TEST_CASE("close lets all tasks be done, terminate does not") {
  const Counter done(0);
  std::atomic<int>* const counter = &*done;
  const auto count = [counter] {
    rt::sleep_for(1ms);
    ++*counter;
  };
  {
    rt::Pool pool(2);
    for (int i = 0; i < 50; ++i) pool.apply_async(count);
    pool.close();
    CHECK(pool.join_for(limit).ok());
    CHECK(*done == 50);
  }
  rt::Pool pool(2);
  auto running = pool.apply_async(sleep_long);
  auto others = pool.map_async([](int) { sleep_long(); }, first_numbers(5000), 1);
  pool.terminate();
  CHECK(pool.join_for(limit).ok());
  CHECK(running.get().error() == Errc::canceled);
  CHECK(others.get().error() == Errc::canceled);
  CHECK(pool.apply(twice, 1).error() == Errc::closed);
}

TEST_CASE("whatever ends a worker fails its own task only, and the worker is replaced") {
  rt::Pool pool(2);
  CHECK(pool.apply(die).error() == Errc::worker_lost);
  CHECK(pool.apply([] { _exit(3); }).error() == Errc::worker_lost);
  const auto crash = [] {
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  };
  CHECK(pool.apply(crash).error() == Errc::worker_lost);
  CHECK(pool.apply(twice, 4).value() == 8);
  const auto results = pool.map([](int n) { return n == 500 ? (die(), n) : n; }, first_numbers(1000), 1);
  CHECK(results.error() == Errc::worker_lost);
  CHECK(becomes([&] { return workers_of(pool).size() == 2; }));
}

TEST_CASE("a worker that is killed while it is idle costs no task") {
  rt::Pool pool(2);
  for (int i = 0; i < 20; ++i) {
    kill(pool.apply([] { return getpid(); }).value(), SIGKILL);
    CHECK(pool.map(twice, first_numbers(100), 1).ok());
  }
}

TEST_CASE("workers are replaced after so many tasks") {
  rt::Pool pool({.workers = 1, .max_tasks_per_worker = 3});
  std::map<int, int> tasks;
  for (int i = 0; i < 12; ++i) ++tasks[pool.apply([] { return getpid(); }).value()];
  CHECK(tasks.size() == 4);
  for (const auto& [worker, count] : tasks) CHECK(count == 3);
}

TEST_CASE("the initializer runs once in each worker before its tasks") {
  const Counter calls(0);
  static int prepared = 0;
  rt::Pool pool({.workers = 2, .max_tasks_per_worker = 1, .initializer = [&calls] {
                   ++*calls;
                   prepared = 5;
                 }});
  for (int i = 0; i < 4; ++i) CHECK(pool.apply([] { return prepared; }).value() == 5);
  CHECK(prepared == 0);
  CHECK(*calls >= 4);
}

TEST_CASE("a pool whose workers all die in the initializer gives up") {
  rt::Pool pool({.workers = 2, .initializer = [] { die(); }});
  CHECK(pool.apply(twice, 1).error() == Errc::worker_lost);
  CHECK(becomes([&] { return pool.apply_async(twice, 1).get().error() == Errc::worker_lost; }));
  pool.close();
  CHECK(pool.join_for(limit).ok());
}

TEST_CASE("a task that takes longer than its limit is ended, and those that wait for a worker are not") {
  rt::Pool pool(1);
  auto late = pool.apply_async(rt::TaskOptions{.timeout = 10 * moment}, sleep_long);
  auto in_time = pool.apply_async(rt::TaskOptions{.timeout = limit}, twice, 3);
  CHECK(in_time.get().value() == 6);
  CHECK(late.get().error() == Errc::timed_out);
}

TEST_CASE("a task can be canceled while it waits and while it runs") {
  const Counter ran(0);
  std::atomic<int>* const counter = &*ran;
  rt::Pool pool(1);
  auto running = pool.apply_async([counter] {
    ++*counter;
    sleep_long();
  });
  auto waiting = pool.apply_async([counter] { ++*counter; });
  auto many = pool.map_async([counter](int) { ++*counter; }, first_numbers(3000), 1);
  CHECK(becomes([&] { return *ran == 1; }));
  waiting.cancel();
  many.cancel();
  CHECK(waiting.get().error() == Errc::canceled);
  CHECK(many.get().error() == Errc::canceled);
  CHECK(!running.ready());
  running.cancel();
  CHECK(running.get().error() == Errc::canceled);
  CHECK(pool.apply(twice, 2).value() == 4);
  CHECK(*ran == 1);
  auto over = pool.apply_async(twice, 2);
  CHECK(over.get().value() == 4);
  over.cancel();
  CHECK(over.get().value() == 4);
}

TEST_CASE("a Timeout ends a thread's waiting, and the task goes on") {
  const Counter done(0);
  std::atomic<int>* const counter = &*done;
  rt::Pool pool(1);
  {
    const rt::Timeout timeout(moment);
    CHECK(pool.apply([counter] {
                rt::sleep_for(10 * moment);
                ++*counter;
              })
              .error() == Errc::timed_out);
  }
  CHECK(pool.apply(twice, 2).value() == 4);
  CHECK(*done == 1);
  pool.close();
  CHECK(pool.join_for(limit).ok());
}

TEST_CASE("many threads use one pool at the same time") {
  rt::Pool pool(3);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::unique_ptr<Running>> threads;
    for (int t = 0; t < 6; ++t)
      threads.push_back(std::make_unique<Running>([&, t] {
        for (int i = 0; i < 300; ++i) wrong += pool.apply(twice, t + i).value() != 2 * (t + i);
        const auto all = pool.map(twice, first_numbers(300), 1).value();
        for (int i = 0; i < 300; ++i) wrong += all[static_cast<std::size_t>(i)] != 2 * i;
      }));
  }
  CHECK(wrong == 0);
}

TEST_CASE("while a fiber waits for a result the others run") {
  const Mapped<rt::SharedEvent> go;
  rt::SharedEvent* const event = &*go;
  rt::Pool pool(2);
  int steps = 0;
  auto waiting = rt::spawn([&] { return pool.apply([event](int n) { return event->wait(), n; }, 5).value(); });
  auto other = rt::spawn([&] {
    for (; steps < 10; ++steps) rt::sleep_for(1ms);
    event->set();
  });
  other.join();
  CHECK(steps == 10);
  CHECK(waiting.join() == 5);
  auto mapping = rt::spawn([&] { return pool.map(twice, first_numbers(100), 1).value().size(); });
  CHECK(mapping.join() == 100);
  auto canceled = rt::spawn([&] { return pool.apply(sleep_long).error().code; });
  rt::sleep_for(moment);
  canceled.cancel();
  CHECK(canceled.join() == Errc::canceled);
}

TEST_CASE("a task can have a pool of its own, but not use that of its parent") {
  rt::Pool pool(2);
  const auto inner = [](int n) {
    rt::Pool own(2);
    const auto all = own.map(twice, first_numbers(n), 1).value();
    return std::accumulate(all.begin(), all.end(), 0);
  };
  CHECK(pool.map(inner, std::vector<int>{10, 100, 10}).value() == std::vector<int>{90, 9900, 90});
  rt::Pool* const parents = &pool;
  CHECK(pool.apply([parents] { return parents->apply(twice, 1); }).error() == Errc::operation_not_permitted);
  CHECK(pool.apply([parents] { return parents->map(twice, std::vector<int>{1}); }).error() ==
        Errc::operation_not_permitted);
}

TEST_CASE("when the parent is killed no worker remains, nor a worker's worker") {
  struct Family {
    std::atomic<int> worker = 0, grandchild = 0;
  };
  const Mapped<Family> family;
  Family* const shared = &*family;
  Child parent([shared] {
    rt::Pool pool(1);
    pool.apply([shared] {
          rt::Pool own(1);
          shared->worker = getpid();
          own.apply([shared] { return shared->grandchild = getpid(), sleep_long(); }).value();
        })
        .value();
    return true;
  });
  CHECK(becomes([&] { return family->grandchild != 0; }));
  CHECK(exists(family->worker));
  CHECK(exists(family->grandchild));
  kill(parent.pid(), SIGKILL);
  (void)parent.end();
  CHECK(becomes([&] { return !exists(family->worker) && !exists(family->grandchild); }));
}

TEST_CASE("nothing is left of a pool that has ended") {
  const auto before = open_descriptors();
  std::set<int> workers;
  {
    rt::Pool pool(4);
    workers = workers_of(pool);
    (void)pool.apply(die);
    (void)pool.apply(twice, 1);
  }
  {
    rt::Pool pool(2);
    auto never = pool.apply_async(sleep_long);
  }
  CHECK(open_descriptors() == before);
  for (const int worker : workers) CHECK(!exists(worker));
}

TEST_CASE("a pool can have two hundred workers") {
#ifdef __SANITIZE_THREAD__
  constexpr unsigned workers = 60; // each takes a fraction of a second to start
#else
  constexpr unsigned workers = 200;
#endif
  rt::Pool pool(workers);
  std::set<int> seen;
  CHECK(becomes([&] {
    seen.merge(workers_of(pool));
    return seen.size() > workers / 2;
  }));
}
