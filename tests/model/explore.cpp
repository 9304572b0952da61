// Exploring a scenario: all executions within the limits, with the fewest preemptions first, then some at random.
//
//   RT_MODEL_MORE     added to each limit, and the number of random executions is multiplied by 10 for each one
//   RT_MODEL_SEED     of the random executions
//   RT_MODEL_REPLAY   "name/trace" of a failure, as it is printed: only that execution of that scenario is run
//   RT_MODEL_VERBOSE  says how many executions there were

#include "machine.hpp"
#include "report.hpp"
#include "scenario.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

namespace model {
namespace {

// A scenario that has more is cut there; its limits are chosen so that none is.
constexpr unsigned most_executions = 2'000'000;

unsigned number_of(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

void report(std::string_view name, const std::string& failure) {
  const std::string trace = chooser().trace();
  std::printf("\nscenario '%.*s' fails:\n%s  %s\nto see it again: RT_MODEL_REPLAY='%.*s/%s'\n\n",
              static_cast<int>(name.size()), name.data(), story().c_str(), failure.c_str(),
              static_cast<int>(name.size()), name.data(), trace.c_str());
}

// Runs executions until one fails, there are no more, or the number is reached.
bool run(std::string_view name, const Program& program, unsigned most, unsigned& executions) {
  for (unsigned i = 0; i < most; ++i) {
    chooser().begin();
    const std::string failure = execute(program);
    ++executions;
    if (!failure.empty()) return report(name, failure), false;
    if (!chooser().advance()) return true;
  }
  return true;
}

bool explore_here(std::string_view name, const Program& program, const Effort& effort) {
  boot(static_cast<unsigned>(program.tasks.size()));
  unsigned executions = 0;
  if (const char* replay = std::getenv("RT_MODEL_REPLAY")) {
    const std::string_view text = replay;
    const std::size_t slash = text.rfind('/');
    if (text.substr(0, slash) != name) return true;
    if (slash == text.npos || !chooser().replay(text.substr(slash + 1))) {
      std::printf("RT_MODEL_REPLAY: that is no trace\n");
      return false;
    }
    if (!run(name, program, 1, executions)) return false;
    std::printf("scenario '%.*s':\n%s  this execution succeeds\n", static_cast<int>(name.size()), name.data(),
                story().c_str());
    return true;
  }

  const auto start = std::chrono::steady_clock::now();
  const unsigned more = number_of("RT_MODEL_MORE", 0);
  Limits limits = effort.limits;
  limits.stale_reads += more;
  const unsigned most_preemptions = limits.preemptions + more;
  for (limits.preemptions = 0; limits.preemptions <= most_preemptions; ++limits.preemptions) {
    chooser().explore_all(limits);
    const unsigned before = executions;
    if (!run(name, program, most_executions, executions)) return false;
    if (executions - before == most_executions) {
      std::printf("scenario '%.*s': the first %u executions with %u preemptions succeed, others were not tried\n",
                  static_cast<int>(name.size()), name.data(), most_executions, limits.preemptions);
      break;
    }
  }
  const unsigned exhaustive = executions;
  unsigned random = effort.random;
  for (unsigned i = 0; i < more; ++i) random *= 10;
  chooser().explore_at_random(number_of("RT_MODEL_SEED", 1));
  if (!run(name, program, random, executions)) return false;
  if (std::getenv("RT_MODEL_VERBOSE")) {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    std::printf("%-60.*s %8u executions, %6u at random, %.2f s\n", static_cast<int>(name.size()), name.data(),
                exhaustive, executions - exhaustive, time.count());
  }
  return true;
}

} // namespace

void must(bool condition, const char* text, const char* file, int line) {
  const Inside inside;
  if (!condition)
    fail("'" + std::string(self().name) + "' finds false: " + text + "  (" + file + ":" + std::to_string(line) + ")");
}

bool explore(std::string_view name, const Program& program, const Effort& effort) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    const bool holds = explore_here(name, program, effort);
    std::fflush(stdout);
    _exit(holds ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    std::printf("\nscenario '%.*s' was ended by signal %d\n", static_cast<int>(name.size()), name.data(),
                WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace model
