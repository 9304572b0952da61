// Pool: its workers' lives, and what becomes of tasks when a worker, the pool or its process comes to an end.

#include "pool_test.hpp"

#include <dirent.h>
#include <map>
#include <set>
#include <string>

using namespace pool_test;

namespace {

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
