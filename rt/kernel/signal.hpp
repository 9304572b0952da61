#pragma once
// Signals: their names and sets, the mask, what an unblocked signal does, sending, and waiting for a blocked one.
//
// The numbers and layouts are the kernel's, which are the same on all CPUs here but differ from libc's, so neither
// <signal.h> nor <linux/signal.h> is needed, and both may be included beside this.

#include <rt/base/format.hpp>
#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>

#include <cstdint>
#include <string_view>

namespace rt::kernel {

/// signal(7). Numbers from 32 to 64 are the real-time signals.
enum class Signal : int {
  sighup = 1,
  sigint,
  sigquit,
  sigill,
  sigtrap,
  sigabrt,
  sigbus,
  sigfpe,
  sigkill,
  sigusr1,
  sigsegv,
  sigusr2,
  sigpipe,
  sigalrm,
  sigterm,
  sigstkflt,
  sigchld,
  sigcont,
  sigstop,
  sigtstp,
  sigttin,
  sigttou,
  sigurg,
  sigxcpu,
  sigxfsz,
  sigvtalrm,
  sigprof,
  sigwinch,
  sigio,
  sigpwr,
  sigsys,
};
inline constexpr int last_signal = 64;

/// Writes "SIGTERM"; "signal 40" for one without a name.
void format_value(Output& out, Signal signal);

/// The signal of a name, with or without SIG, or of a number from 1 to 64. Errc::invalid_argument: there is none such.
Result<Signal> parse_signal(std::string_view text);

/// The kernel's sigset_t.
class SignalSet {
 public:
  constexpr SignalSet() = default;
  template <class... S> explicit constexpr SignalSet(Signal first, S... more) : bits_((bit(first) | ... | bit(more))) {}
  static constexpr SignalSet all() { return from_bits(~std::uint64_t{0}); }

  constexpr SignalSet with(SignalSet other) const { return from_bits(bits_ | other.bits_); }
  constexpr SignalSet without(SignalSet other) const { return from_bits(bits_ & ~other.bits_); }
  constexpr bool contains(Signal signal) const { return bits_ & bit(signal); }

 private:
  static constexpr std::uint64_t bit(Signal signal) { return std::uint64_t{1} << (static_cast<int>(signal) - 1); }
  static constexpr SignalSet from_bits(std::uint64_t bits) {
    SignalSet set;
    set.bits_ = bits;
    return set;
  }
  std::uint64_t bits_ = 0;
};

/// The signals that a fault of the thread's own code raises: blocked ones would kill without a report.
inline constexpr SignalSet fault_signals{Signal::sigill, Signal::sigtrap, Signal::sigabrt, Signal::sigbus,
                                         Signal::sigfpe, Signal::sigsegv, Signal::sigsys};

/// Makes the set the calling thread's mask of blocked signals and returns what was blocked before.
SignalSet block_signals(SignalSet set);

/// What a signal does when it is not blocked: the kernel's struct sigaction, to be kept and put back.
struct SignalAction {
  std::uintptr_t handler = 0;
  std::uintptr_t rest[3] = {};

  static constexpr SignalAction by_default() { return {}; }
  static constexpr SignalAction ignore() { return {1}; }
};

/// The process's action for the signal.
SignalAction signal_action(Signal signal);

/// Replaces the process's action for the signal and returns the one before.
SignalAction set_signal_action(Signal signal, const SignalAction& action);

/// Sends a signal as kill(2) does: to a process (pid > 0), to all of a process group (-group), or to every process that
/// the caller can see and may signal but itself and PID 1 (-1).
Result<void> send_signal(int pid, Signal signal);

/// Takes a signal of the set that is pending, or waits for one. All of them have to be blocked. Errc::timed_out;
/// Errc::interrupted by a signal outside the set.
Result<Signal> wait_for_signal(SignalSet set, Deadline deadline = {});

} // namespace rt::kernel
