// Pool: a function is called in another process; what it is given, what it returns, and who waits for it.

#include "pool_test.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/sync/event.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>

using namespace pool_test;

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
