#pragma once
// signalfd(2): signals that are read from a descriptor.

#include <rt/base/result.hpp>
#include <rt/kernel/signal.hpp>

namespace rt::kernel {

/// A signal that was taken, and where it came from.
struct SignalInfo {
  Signal signal = {};
  int code = 0;           ///< si_code: 0 from kill(2), negative from other calls, positive from the kernel itself
  int sender = 0;         ///< the process that sent it; 0: none, or one of another namespace
  unsigned user = 0;      ///< the sender's real user id
  int descriptor = -1;    ///< of SIGIO and its like: what has become ready
  std::int64_t value = 0; ///< of sigqueue(3)
};

/// A descriptor that is ready to read when one of the signals is pending for the process or the reading thread. They
/// have to be blocked, so that nothing else takes them. Reading from it never blocks.
Result<int> make_signal_descriptor(SignalSet set);

/// Takes a pending signal. would_block: there is none.
Result<SignalInfo> read_signal(int descriptor);

} // namespace rt::kernel
