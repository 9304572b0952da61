// Types of tasks: one that waits most of its time (I/O-bound) and one that computes all of it (CPU-bound).
//
// Eight tasks of each kind are done in five ways. An I/O-bound task asks a server on the loopback interface, which
// answers after a while; a CPU-bound one counts primes. Waiting can be done side by side by anything, computing only by
// as many as there are CPUs: threads and processes. Fibers cost least, but share one CPU; processes with fibers in them
// have both.

#include "options.hpp"

#include <rt/hub/group.hpp>
#include <rt/io/tcp.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/process/pool.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int tasks = 8;

// --- The tasks ---

/// Whoever connects gets one byte after a while. Processes are clones of this one, so they find the address here.
constinit rt::Address server_address;

void serve(rt::TcpListener& listener) {
  rt::Group connections;
  for (auto stream = listener.accept(); stream; stream = listener.accept())
    (void)connections.spawn(
        [](rt::TcpStream connection) {
          apps::pause(200ms);
          (void)connection.write("!");
        },
        std::move(*stream));
}

rt::Result<int> ask_server(int) {
  auto connection = rt::TcpStream::connect(server_address);
  if (!connection) return connection.error();
  char answer;
  if (const auto read = connection->read_exactly({&answer, 1}); !read) return read.error();
  return 1;
}

/// In a range of its own.
rt::Result<int> count_primes(int task) {
  constexpr unsigned numbers = 100'000;
  int count = 0;
  for (unsigned number = static_cast<unsigned>(task) * numbers + 1;
       number < (static_cast<unsigned>(task) + 1) * numbers; number += 2) {
    unsigned divisor = 3;
    while (divisor * divisor <= number && number % divisor != 0) divisor += 2;
    count += number > 1 && divisor * divisor > number;
  }
  return count;
}

using Task = rt::Result<int> (*)(int);
using Results = std::vector<rt::Result<int>>; // 0, where a task is another one's

constexpr std::array<int, tasks> numbers = {0, 1, 2, 3, 4, 5, 6, 7};

rt::Result<int> sum_of(const Results& results) {
  int sum = 0;
  for (const auto& each : results) {
    if (!each) return each.error();
    sum += *each;
  }
  return sum;
}

// --- Five ways to do them ---

rt::Result<int> one_after_the_other(Task task) {
  Results results(tasks, 0);
  for (const int i : numbers) results[static_cast<std::size_t>(i)] = task(i);
  return sum_of(results);
}

rt::Result<int> by_threads(Task task) {
  Results results(tasks, 0);
  std::vector<rt::Thread> threads;
  threads.reserve(tasks);
  for (const int i : numbers) {
    threads.emplace_back([&results, task, i] { results[static_cast<std::size_t>(i)] = task(i); });
    if (const auto started = threads.back().start(); !started) return started.error();
  }
  for (rt::Thread& thread : threads) thread.join();
  return sum_of(results);
}

rt::Result<int> by_processes(Task task) {
  rt::Pool pool;
  const auto results = pool.map(task, numbers, 1);
  if (!results) return results.error();
  return std::accumulate(results->begin(), results->end(), 0);
}

/// Those from `first` on, each `step`th.
rt::Result<int> side_by_side(Task task, int first, int step) {
  Results results(tasks, 0);
  rt::Group group;
  for (int i = first; i < tasks; i += step) {
    const auto spawned = group.spawn([&results, task, i] { results[static_cast<std::size_t>(i)] = task(i); });
    if (!spawned) return spawned.error();
  }
  group.join();
  return sum_of(results);
}

rt::Result<int> by_fibers(Task task) { return side_by_side(task, 0, 1); }

rt::Result<int> by_processes_with_fibers(Task task) {
  rt::Pool pool;
  const int processes = std::min(static_cast<int>(pool.workers()), tasks);
  std::vector<std::tuple<Task, int, int>> shares;
  for (int i = 0; i < processes; ++i) shares.emplace_back(task, i, processes);
  const auto results = pool.starmap(side_by_side, shares, 1);
  if (!results) return results.error();
  return std::accumulate(results->begin(), results->end(), 0);
}

struct Way {
  std::string_view name;
  rt::Result<int> (*run)(Task task);
  std::chrono::milliseconds waiting = {}, computing = {};
};

/// How long it takes.
rt::Result<std::chrono::milliseconds> measure(const Way& way, Task task, int expected) {
  const auto begin = rt::Clock::now();
  const auto sum = way.run(task);
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin);
  if (!sum) {
    rt::eprintln("14_task_types: {}: {}{}", way.name, sum.error(),
                 sum.error() == rt::Errc::network_unreachable ? "; the loopback interface has to be up" : "");
    return sum.error();
  }
  if (*sum != expected) {
    rt::eprintln("14_task_types: {}: the results add up to {} instead of {}", way.name, *sum, expected);
    return rt::Errc::bad_message;
  }
  return time;
}

template <class Time> std::string_view quickest(std::span<const Way> ways, Time time) {
  return std::ranges::min_element(ways, {}, time)->name;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Types of tasks: waiting and computing by threads, processes, fibers and both.");
  if (const auto status = options.finish()) return *status;

  auto listener = rt::TcpListener::listen(rt::Address::loopback(0));
  if (!listener) {
    rt::eprintln("14_task_types: cannot listen on the loopback interface: {}", listener.error());
    return 1;
  }
  server_address = listener->address();
  rt::Thread server({.name = "server"}, [&] { serve(*listener); });
  server.start().value();

  Way ways[] = {{"one after the other", one_after_the_other},
                {"threads", by_threads},
                {"processes", by_processes},
                {"fibers", by_fibers},
                {"processes + fibers", by_processes_with_fibers}};
  rt::println("{} tasks of each kind; CPUs, and processes: {}", tasks, rt::cpu_count());
  rt::println("{:<22}{:>12}{:>12}", "", "I/O-bound", "CPU-bound");
  bool right = true;
  for (Way& way : ways) {
    const auto waiting = measure(way, ask_server, tasks), computing = measure(way, count_primes, 63'950);
    right = waiting && computing;
    if (!right) break;
    way.waiting = *waiting;
    way.computing = *computing;
    rt::println("{:<22}{:>12}{:>12}", way.name, way.waiting, way.computing);
  }
  (void)listener->shutdown();
  server.join();
  if (!right) return 1;
  rt::println("least time for I/O-bound tasks: {}", quickest(ways, &Way::waiting));
  rt::println("least time for CPU-bound tasks: {}", quickest(ways, &Way::computing));
  rt::println("end");
  return 0;
}
