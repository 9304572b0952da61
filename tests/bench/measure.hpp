#pragma once
// Measuring on a small noisy machine: all candidates in one run, in turns, medians of the rounds.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sched.h>
#include <string>
#include <unistd.h>
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

/// What a median must not exceed.
struct Limit {
  double value = 0; // 0: none
  enum { absolute, of_the_first } kind = absolute;
};
inline Limit at_most(double value) { return {value}; }
inline Limit at_most_of_the_first(double ratio) { return {ratio, Limit::of_the_first}; }

struct Candidate {
  std::string name;
  std::function<double()> measure; // one round
  Limit limit = {};
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Runs the candidates in turns and prints each one's median, least and greatest value, its ratio to the first one, and
/// its limit. The ratio is the median of the rounds' ratios: a machine that is slower for a while is so for both.
inline void compare(const char* title, const char* unit, const std::vector<Candidate>& candidates, int rounds = 9) {
  std::vector<std::vector<double>> values(candidates.size()), ratios(candidates.size());
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      values[i].push_back(candidates[i].measure());
      ratios[i].push_back(values[i].back() / values[0].back());
    }
  std::printf("%s (%s, median of %d rounds in turns)\n", title, unit, rounds);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto [least, most] = std::minmax_element(values[i].begin(), values[i].end());
    const double value = median(values[i]), ratio = median(ratios[i]);
    std::printf("  %-34s %10.3f   (%.3f to %.3f)   %.2f of the first", candidates[i].name.c_str(), value, *least, *most,
                ratio);
    const auto [limit, kind] = candidates[i].limit;
    if (limit != 0)
      std::printf("; limit %g%s: %s", limit, kind == Limit::absolute ? "" : " of the first",
                  (kind == Limit::absolute ? value : ratio) <= limit ? "kept" : "missed");
    std::printf("\n");
  }
  std::fflush(stdout);
}

/// The path of a file that lies beside this program.
inline std::string beside_this_program(const std::string& name) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  const std::string program(path, length > 0 ? static_cast<std::size_t>(length) : 0);
  return program.substr(0, program.rfind('/') + 1) + name;
}

/// What a program of another language measures: the number that it writes. Ends this one if it writes none.
inline double measured_by(const std::string& command) {
  double value = 0;
  std::FILE* const output = popen(command.c_str(), "r");
  const bool found = output && std::fscanf(output, "%lf", &value) == 1;
  if (!output || pclose(output) != 0 || !found) {
    std::fprintf(stderr, "no figure came from: %s\n", command.c_str());
    std::exit(1);
  }
  return value;
}

} // namespace bench
