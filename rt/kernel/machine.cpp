#include <rt/kernel/machine.hpp>

#include <rt/kernel/file.hpp>

#include <arch/syscall.hpp>
#include <linux/if.h>
#include <linux/reboot.h>
#include <linux/sockios.h>

namespace rt::kernel {
namespace {

constexpr int inet = 2, datagram = 2; // AF_INET, SOCK_DGRAM: the same on all CPUs but mips

Error reboot(unsigned command) {
  return Error::from_kernel(arch::syscall(__NR_reboot, static_cast<int>(LINUX_REBOOT_MAGIC1), LINUX_REBOOT_MAGIC2,
                                          static_cast<int>(command), 0));
}

Result<void> set_up(int socket, ifreq& request) {
  if (const auto result = control_device(socket, SIOCGIFFLAGS, &request); !result) return result.error();
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return control_device(socket, SIOCSIFFLAGS, &request).error();
}

} // namespace

Result<void> mount(const char* source, const char* target, const char* type, unsigned long flags, const char* data) {
  return Error::from_kernel(arch::syscall(__NR_mount, reinterpret_cast<long>(source), reinterpret_cast<long>(target),
                                          reinterpret_cast<long>(type), static_cast<long>(flags),
                                          reinterpret_cast<long>(data)));
}

Result<void> start_loopback() {
  const long socket = arch::syscall(__NR_socket, inet, datagram, 0);
  if (socket < 0) return Error::from_kernel(socket);
  ifreq request = {};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  const auto result = set_up(static_cast<int>(socket), request);
  (void)close_file(static_cast<int>(socket));
  return result;
}

Result<void> redirect_ctrl_alt_del() { return reboot(LINUX_REBOOT_CMD_CAD_OFF); }

void sync_disks() { arch::syscall(__NR_sync); }

Error end_machine(MachineEnd how) {
  return reboot(how == MachineEnd::restart ? LINUX_REBOOT_CMD_RESTART
                : how == MachineEnd::halt  ? LINUX_REBOOT_CMD_HALT
                                           : LINUX_REBOOT_CMD_POWER_OFF);
}

} // namespace rt::kernel
