// Concurrency and parallelism: to deal with several things at a time, and to do several things at a time.
//
// The same work, to count primes, is cut into two halves that cost the same. Two fibers are concurrent: both are under
// way from the beginning to the end, by turns, but one CPU does all of it. Two threads are parallel where there are two
// CPUs, and so are two processes; these have no variables in common, so what each has found comes back as a message.

#include "options.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/process/pool.hpp>
#include <rt/thread/thread.hpp>

#include <array>

namespace {

constexpr unsigned limit = 2'000'000, halves = 2, turn = 1'000;

bool is_prime(unsigned odd) {
  for (unsigned divisor = 3; divisor * divisor <= odd; divisor += 2)
    if (odd % divisor == 0) return false;
  return true;
}

/// How many primes there are among every other odd number below the limit, from 3 or from 5 on; half 0 counts the 2 as
/// well. Lets `others` run now and then.
template <class Others> unsigned count_primes(unsigned half, Others others) {
  unsigned count = half == 0 ? 1 : 0, tried = 0;
  for (unsigned number = 3 + 2 * half; number < limit; number += 2 * halves) {
    count += is_prime(number);
    if (++tried % turn == 0) others();
  }
  return count;
}

constexpr auto nobody = [] {};

unsigned one_after_the_other() {
  unsigned count = 0;
  for (unsigned half = 0; half < halves; ++half) count += count_primes(half, nobody);
  return count;
}

unsigned by_fibers() {
  const auto by_turns = [](unsigned half) { return count_primes(half, [] { rt::yield(); }); };
  auto first = rt::spawn(by_turns, 0u), second = rt::spawn(by_turns, 1u);
  return first.join() + second.join();
}

unsigned by_threads() {
  unsigned counts[halves] = {};
  const auto count = [&counts](unsigned half) { counts[half] = count_primes(half, nobody); };
  rt::Thread first(count, 0u), second(count, 1u);
  first.start().value();
  second.start().value();
  first.join();
  second.join();
  return counts[0] + counts[1];
}

unsigned by_processes() {
  rt::Pool pool(halves);
  const auto counts = pool.map([](unsigned half) { return count_primes(half, nobody); }, std::array{0u, 1u}, 1).value();
  return counts[0] + counts[1];
}

struct Way {
  std::string_view name;
  unsigned (*count)();
  unsigned primes = 0;
  std::chrono::milliseconds time = {};
};

/// A bar for each time, the longest of which is as wide as half a line.
void plot(std::span<const Way> ways) {
  constexpr long width = 40;
  std::chrono::milliseconds longest(1);
  for (const Way& way : ways) longest = std::max(longest, way.time);
  for (const Way& way : ways)
    rt::println("{:<26} {:>8} {:█<{}}", way.name, way.time, "",
                (way.time.count() * width + longest.count() / 2) / longest.count());
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Concurrency and parallelism: the same work by fibers, threads and processes.");
  if (const auto status = options.finish()) return *status;

  Way ways[] = {{"one after the other", one_after_the_other},
                {"2 fibers on one CPU", by_fibers},
                {"2 threads", by_threads},
                {"2 processes", by_processes}};
  rt::println("counts the primes below {} in two halves; CPUs: {}", limit, rt::cpu_count());
  bool right = true;
  for (Way& way : ways) {
    const auto begin = rt::Clock::now();
    way.primes = way.count();
    way.time = std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin);
    rt::println("{}: {} primes", way.name, way.primes);
    right = right && way.primes == ways[0].primes;
  }
  plot(ways);
  rt::println("the fibers and the main flow took turns {} times", rt::hub_info().switches);
  if (!right) rt::eprintln("12_concurrency_parallelism: the ways do not agree on the number of primes");
  rt::println("end");
  return right ? 0 : 1;
}
