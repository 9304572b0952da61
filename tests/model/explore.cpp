// Exploring a scenario: the executions within the limits, those with the fewest preemptions first, then some at random.
//
//   RT_MODEL_MORE     0, 1, 2...: so many unusual things more in one execution, and for each ten times as many
//   executions RT_MODEL_SEED     of the random executions RT_MODEL_REPLAY   "name/trace" of a failure, as it is
//   printed: only that execution of that scenario is run RT_MODEL_VERBOSE  says how many executions there were

#include "machine.hpp"
#include "report.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <sys/wait.h>
#include <unistd.h>

namespace model {
namespace {

[[noreturn]] void finish(bool success) {
  std::fflush(stdout);
  _exit(success ? 0 : 1);
}

unsigned number_of(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

// Replaces "program ADDRESS" by the source line, if addr2line(1) is there.
std::string with_lines(std::string text) {
  constexpr std::string_view mark = "program 0x";
  for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; ++at) {
    const std::size_t number = at + mark.size() - 2, end = text.find_first_not_of("0123456789abcdef", number + 2);
    char program[4096] = {}, line[1024] = {};
    if (readlink("/proc/self/exe", static_cast<char*>(program), sizeof program - 1) < 0) break;
    const std::string command = "addr2line -Cpe '" + std::string(static_cast<char*>(program)) + "' " +
                                text.substr(number, end - number) + " 2>&1";
    FILE* output = popen(command.c_str(), "r");
    if (!output) break;
    const bool found = std::fgets(static_cast<char*>(line), sizeof line, output) && line[0] == '/';
    pclose(output);
    if (!found) continue;
    const std::string_view place = static_cast<char*>(line);
    text.replace(at, end - at, place.substr(0, place.find_first_of(" \n")));
  }
  return text;
}

void report(std::string_view name, const std::string& failure) {
  std::printf("\nscenario '%.*s' fails:\n%s  %s\nto see it again: RT_MODEL_REPLAY='%.*s/%s'\n\n",
              static_cast<int>(name.size()), name.data(), story().c_str(), with_lines(failure).c_str(),
              static_cast<int>(name.size()), name.data(), chooser().trace().c_str());
}

// Runs executions until one fails, there are no more, or the number is reached.
bool run(std::string_view name, const Program& program, unsigned most, unsigned& executions,
         std::string_view expected = {}) {
  for (unsigned i = 0; i < most; ++i) {
    chooser().begin();
    const std::string failure = execute(program);
    ++executions;
    if (!failure.empty()) {
      if (!expected.empty() && failure.find(expected) != failure.npos) finish(true);
      report(name, failure);
      return false;
    }
    if (!chooser().advance()) return true;
  }
  return true;
}

bool explore_here(std::string_view name, const Program& program, const Effort& effort, std::string_view expected) {
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
  unsigned most = effort.exhaustive, random = effort.random;
  const unsigned more = number_of("RT_MODEL_MORE", 0);
  for (unsigned i = 0; i < more; ++i) most *= 10, random *= 10;
  Limits limits = effort.limits;
  limits.together += more;
  const unsigned most_preemptions = std::min(limits.preemptions + more, limits.together);
  bool complete = true;
  for (limits.preemptions = 0; complete && limits.preemptions <= most_preemptions; ++limits.preemptions) {
    chooser().explore_all(limits);
    const unsigned before = executions;
    if (!run(name, program, most, executions, expected)) return false;
    complete = executions - before < most;
  }
  const unsigned exhaustive = executions;
  chooser().explore_at_random(number_of("RT_MODEL_SEED", 1));
  if (!run(name, program, random, executions, expected)) return false;
  if (std::getenv("RT_MODEL_VERBOSE")) {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    std::printf("%-100.*s %8u executions%s, %6u at random, %.2f s\n", static_cast<int>(name.size()), name.data(),
                exhaustive, complete ? "" : " (cut)", executions - exhaustive, time.count());
  }
  if (!expected.empty())
    std::printf("scenario '%.*s' should have failed\n", static_cast<int>(name.size()), name.data());
  return expected.empty();
}

} // namespace

bool asleep(unsigned index) {
  const Inside inside;
  return task(index).state == Task::State::asleep;
}

std::string full_name(std::string_view name, const std::type_info& state) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(state.name(), nullptr, nullptr, &status);
  std::string type = demangled ? demangled : state.name();
  std::free(demangled);
  constexpr std::string_view noise = "(anonymous namespace)::";
  for (std::size_t at; (at = type.find(noise)) != type.npos;) type.erase(at, noise.size());
  return std::string(name) + " [" + type + "]";
}

void must(bool condition, const char* text, const char* file, int line) {
  const Inside inside;
  if (!condition)
    fail("'" + std::string(self().name) + "' finds false: " + text + "  (" + file + ":" + std::to_string(line) + ")");
}

bool explore(std::string_view name, const Program& program, const Effort& effort, std::string_view expected) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    finish(explore_here(name, program, effort, expected));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    std::printf("\nscenario '%.*s' was ended by signal %d\n", static_cast<int>(name.size()), name.data(),
                WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace model
