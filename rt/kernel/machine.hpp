#pragma once
// What only the first process of a machine does: mounting the kernel's file systems, starting the loopback interface,
// and switching the machine off.

#include <rt/base/result.hpp>

namespace rt::kernel {

/// mount(2). Flags are MS_ constants of <linux/mount.h>.
Result<void> mount(const char* source, const char* target, const char* type, unsigned long flags, const char* data);

/// Sets the interface "lo" up.
Result<void> start_loopback();

/// Makes the kernel send SIGINT to PID 1 when Ctrl-Alt-Del is pressed, where it would restart the machine at once.
/// Errc::invalid_argument: this is not the initial PID namespace, so PID 1 here is a container's, not the machine's.
/// Errc::operation_not_permitted: without CAP_SYS_BOOT in it, so likewise.
Result<void> redirect_ctrl_alt_del();

/// Writes what the page cache holds to the disks, and waits for it.
void sync_disks();

enum class MachineEnd { power_off, restart, halt };
/// Ends the machine at once, without a word to any process; returns the reason if that cannot be.
Error end_machine(MachineEnd how);

} // namespace rt::kernel
