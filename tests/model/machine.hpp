#pragma once
// The simulated machine: tasks that run one at a time, and a scheduler that asks the Chooser who goes on at each point
// where that can matter.
//
// All tasks run on one thread of the host, each on a stack of its own and with thread-local variables of its own: for
// these the machine borrows the blocks of idle threads, by setting the thread pointer. A switch thus costs no more than
// that, and wakes no other thread.
//
// What runs is either the program under test or the machine; `Inside` marks the machine's own code, so that the hooks
// of the instrumented program ignore what the machine itself does.

#include "choice.hpp"
#include "clock.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// True while the program under test runs.
extern bool in_program;

class Inside {
 public:
  Inside() : before_(in_program) { in_program = false; }
  ~Inside() { in_program = before_; }
  Inside(const Inside&) = delete;

 private:
  bool before_;
};

inline constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

/// What a sleeping task waits for.
struct Sleep {
  const void* word = nullptr; ///< of a futex; nullptr: for the time only
  bool shared = false;        ///< futex(2) without the private flag
  std::int64_t deadline = no_deadline;
};

enum class Wakeup : std::uint8_t { woken, timed_out, interrupted };

struct Task {
  enum class State : std::uint8_t { finished, ready, asleep };

  unsigned index = 0;
  std::string_view name;
  State state = State::finished;
  Clock clock; ///< what has happened before its next step; its own tick counts its steps
  Sleep sleep;
  std::uint64_t asleep_since = 0; ///< sleepers are woken in this order
  Wakeup wakeup = Wakeup::woken;
  bool pausing = false;         ///< has asked for others to run until something is written
  bool spins_through = false;   ///< its spinning is to find nothing, as the others stand still
  std::uint64_t paused_at = 0;  ///< the number of changes when it paused
  std::uint64_t up_to_date = 0; ///< changes that it must not miss any more: spinning ends in the end
};

/// The task that runs.
Task& self();
Task& task(unsigned index);

/// The changes that other tasks can notice in this execution, as of now: writes, and that tasks fall asleep.
std::uint64_t changes();
void count_change();

/// The virtual time in nanoseconds.
std::int64_t now();

/// To be called before each step that others can notice: here they may come first. `looks`: it changes nothing.
void point(bool looks = false);
/// The running task sleeps until something ends that.
Wakeup fall_asleep(const Sleep& sleep);
/// Ends the sleep of at most `count` tasks on the word, the first come first; returns how many.
unsigned wake_sleepers(const void* word, bool shared, unsigned count);
/// The running task goes on when another one has written something, or when none can run.
void pause();
/// The running task goes on when another one has written something or fallen asleep.
void step_aside();

/// Whether the running task's load may return an old value, and that it did.
bool may_read_stale();
void count_stale_read();
/// Whether something may fail for no reason, and that it did.
bool may_surprise();
void count_surprise();

Chooser& chooser();

/// Ends the execution: it has shown an error.
[[noreturn]] void fail(const std::string& why);

/// Runs one execution: the tasks' bodies, between set_up and check. Returns why it failed, or nothing.
struct Program {
  struct Part {
    std::string_view name;
    std::function<void()> run;
  };
  std::function<void()> set_up;
  std::vector<Part> tasks;
  std::function<void()> check;
};
std::string execute(const Program& program);

/// Prepares stacks and thread-local variables for that many tasks, once in a process.
void boot(unsigned tasks);

} // namespace model
