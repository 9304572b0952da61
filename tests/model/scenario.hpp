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

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace model {

/// How thoroughly a scenario is explored.
struct Effort {
  Limits limits;
  unsigned random = 1000; ///< executions at random after the exhaustive ones
};

/// Explores in a process of its own and prints what went wrong. `RT_MODEL_…` variables: see explore.cpp.
bool explore(std::string_view name, const Program& program, const Effort& effort);

/// Ends the execution unless the condition is true.
void must(bool condition, const char* text, const char* file, int line);
#define MUST(...) ::model::must(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

template <class State> class Scenario {
 public:
  using Body = void(State&);

  explicit Scenario(std::string_view name, const Effort& effort = {}) : name_(name), effort_(effort) {
    program_.set_up = [this] { state_ = new State(); };
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
  /// For scenarios in which a task destroys a part of the state.
  bool holds() { return explore(name_, program_, effort_); }

 private:
  std::string_view name_;
  Effort effort_;
  Program program_;
  State* state_ = nullptr;
  Body* check_ = nullptr;
};

} // namespace model
