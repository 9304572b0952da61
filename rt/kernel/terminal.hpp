#pragma once
// Terminals: whose they are, and which process group is in the foreground (tty_ioctl(2), termios(3)).

#include <rt/kernel/process.hpp>

namespace rt::kernel {

bool is_terminal(int descriptor);

/// The group that reads from the terminal and gets its signals. Errc::inappropriate_io_control_operation: it is not the
/// caller's controlling terminal, or none at all.
Result<ProcessId> foreground_group(int descriptor);

/// Hands the terminal to a group of the caller's session. A caller in the background has to ignore or block SIGTTOU.
Result<void> set_foreground_group(int descriptor, ProcessId group);

/// Makes the terminal that of the caller's session, which it leads and which has none.
Result<void> take_controlling_terminal(int descriptor);

/// Waits until all that was written has been transmitted.
Result<void> drain_terminal(int descriptor);

} // namespace rt::kernel
