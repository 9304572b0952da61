#pragma once
// Choices: an execution is determined by the answers to a sequence of questions "which of these n?". Whoever explores
// gives the answers: all sequences one after the other, depth first; at random, by a seed; or those of an execution
// that is to be seen again.
//
// What is unusual (a preemption, an old value read, ...) has a price, so that exhaustive exploration comes to an end
// and meets simple failures first: most bugs need few unusual things (M. Musuvathi, S. Qadeer, "Iterative Context
// Bounding"). The answer 0 is the usual one and is free.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// How many unusual things an execution may have.
struct Limits {
  unsigned preemptions = 2; ///< a task that could go on has to stop for another
  unsigned stale_reads = 1; ///< a load returns an older value than the newest, where C++ permits it
  unsigned timeouts = 1;    ///< a time limit passes while other tasks could go on
  unsigned surprises = 1;   ///< futex(2) is interrupted, a weak compare-exchange fails without a reason
  unsigned together = 2;    ///< of all these
};

class Chooser {
 public:
  /// All executions within the limits, one after the other.
  void explore_all(const Limits& limits);
  /// Executions chosen by the numbers that follow from the seed.
  void explore_at_random(std::uint64_t seed);
  /// One execution, as trace() wrote it; false: that is no trace.
  bool replay(std::string_view trace);

  /// Before each execution.
  void begin();
  /// After each execution; false: there is no other left.
  bool advance();

  const Limits& limits() const { return limits_; }
  /// A number below n.
  unsigned choose(unsigned n);
  /// The same for n tasks, the first being the one that runs now if `running`.
  unsigned choose_task(const unsigned* tasks, unsigned n, bool running);

  /// The answers so far as text.
  std::string trace() const;

 private:
  enum class Way : std::uint8_t { all, random, replay };
  struct Choice {
    std::uint32_t picked;
    std::uint32_t count;
  };

  unsigned choose_evenly(unsigned n);
  unsigned random_below(unsigned n);

  Way way_ = Way::all;
  Limits limits_;
  std::vector<Choice> choices_; // of this execution, and how the next one begins
  std::size_t next_ = 0;
  std::uint64_t state_ = 0;             // of the random numbers
  unsigned one_in_ = 2;                 // how rarely this execution does unusual things
  bool by_priority_ = false;            // whether tasks run by priority in this execution
  std::vector<std::uint64_t> priority_; // of each task
};

} // namespace model
