#pragma once
// Scenario: a few tasks that use what is under test, and what must be true whatever they do in whichever order.
//
//   struct Counter { rt::Lock lock; int value = 0; };
//
//   Scenario<Counter>("two tasks count")
//       .task("first", [](Counter& c) { ... })
//       .task("second", [](Counter& c) { ... })
//       .finally([](Counter& c) { MUST(c.value == 2); })
//       .holds()
//
// Besides what MUST says, an execution fails when no task can go on, when they never end, when a task panics, when
// plain data is accessed unordered, and when memory is used that is gone.

#include "choice.hpp"
#include "machine.hpp"

#include <rt/base/registry.hpp>
#include <rt/sync/waiter.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace model {

/// How thoroughly a scenario is explored.
struct Effort {
  Limits limits = {};
  unsigned exhaustive = 20'000;       ///< executions within the limits, at most
  unsigned random = 1000;             ///< executions at random after these
  std::chrono::nanoseconds spin = {}; ///< how long what blocks looks before it sleeps
};

/// Explores in a process of its own and prints what went wrong; see explore.cpp. With `expected`, an execution has to
/// fail and the reason has to contain that text.
bool explore(std::string_view name, const Program& program, const Effort& effort, std::string_view expected = {});

/// "name [type of the state]": names are unique.
std::string full_name(std::string_view name, const std::type_info& state);

/// Whether a task, counted from 1, has come to rest in futex(2).
bool asleep(unsigned task);

/// Ends the execution unless the condition is true.
void must(bool condition, const char* text, const char* file, int line);
#define MUST(...) ::model::must(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

template <class State> class Scenario {
 public:
  using Body = void(State&);

  explicit Scenario(std::string_view name, const Effort& effort = {})
      : name_(full_name(name, typeid(State))), effort_(effort) {
    program_.set_up = [this] {
      rt::set_spin_time(effort_.spin);
      state_ = new State();
    };
    program_.check = [this] {
      if (check_) check_(*state_);
      delete std::exchange(state_, nullptr);
    };
  }
  Scenario(const Scenario&) = delete;

  Scenario& task(std::string_view name, Body* body) {
    program_.tasks.push_back({name, [this, body] {
                                body(*state_);
                                rt::unregister_current_task();
                              }});
    return *this;
  }
  /// After all tasks have ended.
  Scenario& finally(Body* check) {
    check_ = check;
    return *this;
  }

  /// Whether no execution fails.
  bool holds() { return explore(name_, program_, effort_); }
  /// Whether one fails, for that reason.
  bool fails(std::string_view reason) { return explore(name_, program_, effort_, reason); }

 private:
  std::string name_;
  Effort effort_;
  Program program_;
  State* state_ = nullptr;
  Body* check_ = nullptr;
};

} // namespace model
