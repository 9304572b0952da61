#pragma once
// Measuring on a small noisy machine: all candidates in one run, in turns, medians of the rounds.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <sched.h>
#include <string>
#include <vector>

namespace bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline void pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

struct Candidate {
  std::string name;
  std::function<double()> measure; // one round
};

/// Runs the candidates in turns and prints each one's median, least and greatest value, and its ratio to the first one.
inline void compare(const char* title, const char* unit, const std::vector<Candidate>& candidates, int rounds = 9) {
  std::vector<std::vector<double>> values(candidates.size());
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < candidates.size(); ++i) values[i].push_back(candidates[i].measure());
  std::printf("%s (%s, median of %d rounds in turns)\n", title, unit, rounds);
  double first = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    std::sort(values[i].begin(), values[i].end());
    const double median = values[i][values[i].size() / 2];
    if (i == 0) first = median;
    std::printf("  %-34s %10.3f   (%.3f to %.3f)   %.2f of the first\n", candidates[i].name.c_str(), median,
                values[i].front(), values[i].back(), median / first);
  }
}

} // namespace bench
