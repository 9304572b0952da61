#pragma once
// Spinning: looking at a word for a short time before the task sleeps until it changes.
//
// Falling asleep and being woken on another CPU takes some 45 microseconds, most of it the time in which an idle CPU
// gets going; seeing a change takes a tenth of one. Who spins as long as sleeping costs and then sleeps loses at most
// half of what the best choice would have gained. A shorter time would not do: two tasks that answer each other and
// have both gone to sleep once would never meet again, as each gives up before the other has been woken.
//
// Spinning in vain is bounded by a credit, in pauses, that each thread has for words, and each hub for descriptors:
//
//   it spins       for as long as one sleep costs, or what is left of the credit
//   success        earns a little (far less than the sleep that it saved)
//   failure        costs what it took; at 0 the credit is used up
//   used up        no spinning; each sleep saves a thousandth of one spin, and when that has added up to a whole one
//                  the thread tries again: a success then brings it back
//
// So where spinning works a disturbance is soon made good, and where it does not (the other task runs on the same CPU,
// or all CPUs have something better to do) it costs some 50 ns for each sleep.

#include <rt/base/atomic.hpp>

#include <chrono>
#include <cstdint>

namespace rt {

/// Looks for some time whether the word has changed; returns whether it has. Not at all if the process may run on one
/// CPU only. What others did before the change is seen after true.
bool spin_while(const Atomic<std::uint32_t>& word, std::uint32_t value);

class SpinCredit {
 public:
  /// For how many pauses to spin now; 0: not at all.
  int take();
  /// What was waited for has come meanwhile.
  void succeed();
  /// It has not, in so many pauses.
  void fail(int pauses);

 private:
  int debt_ = 0;         // what is missing to the most that there can be
  bool used_up_ = false; // and not a whole spin saved since
};

/// About what falling asleep and waking up on another CPU costs.
inline constexpr std::chrono::microseconds default_spin_time{50};

/// The longest time that spin_while looks; 0: not at all. At first it is default_spin_time, and 0 for a process that
/// may run on one CPU only.
void set_spin_time(std::chrono::nanoseconds time);

} // namespace rt
