#pragma once
// What init does before and after the command when it is the first process of a machine.

#include "init_options.hpp"

#include <rt/kernel/file.hpp>
#include <rt/kernel/machine.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/terminal.hpp>

#include <linux/fcntl.h>
#include <linux/mount.h>

namespace init {

/// Whether this is the first process of the machine rather than of a container, however much that container may do:
/// only in the initial PID namespace does the kernel accept the request. It needs no file system.
inline bool is_first_of_machine() { return rt::kernel::process_id() == 1 && rt::kernel::redirect_ctrl_alt_del().ok(); }

struct Mount {
  char target[16];
  char type[10];
  unsigned flags;
  char data[28];
};
inline constexpr Mount mounts[] = {
    {"/dev", "devtmpfs", MS_NOSUID, "mode=0755"},
    {"/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"},
    {"/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
    {"/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"},
    {"/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
};

/// Mounts what is missing. A file system that the kernel does not have is worth a word only if asked for.
inline void mount_if_missing(const Mount& mount, bool verbose) {
  if (const auto status = rt::kernel::path_status(mount.target); status && status->mount_root) return;
  (void)rt::kernel::make_directory(mount.target, 0755); // it may exist, or the root is read-only: mount() will tell
  const auto mounted = rt::kernel::mount(mount.type, mount.target, mount.type, mount.flags, mount.data);
  const bool unknown = mounted.error() == rt::Errc::no_such_device;
  if (!mounted && (!unknown || verbose))
    rt::eprintln("init: cannot mount {} on {}: {}", mount.type, mount.target, mounted.error());
}

/// Descriptors 0, 1 and 2 become the console where they are not open; /dev/null if there is no console.
inline void open_console() {
  for (const char* path : {"/dev/console", "/dev/null"})
    while (!rt::kernel::is_open(0) || !rt::kernel::is_open(1) || !rt::kernel::is_open(2))
      if (!rt::kernel::open_file(path, O_RDWR | O_NOCTTY)) break;
}

/// As much as is needed to say something. The console becomes the terminal of a session that init itself leads and in
/// which the command has the foreground: when a session's leader ends, the kernel hangs its terminal up, and what it
/// has not transmitted yet is lost.
inline void prepare_console() {
  mount_if_missing(mounts[0], false);
  open_console();
  (void)rt::kernel::start_session();
  (void)rt::kernel::take_controlling_terminal(0); // which standard input need not be
}

inline void prepare_machine(bool verbose) {
  for (const auto& mount : mounts) mount_if_missing(mount, verbose);
  if (const auto started = rt::kernel::start_loopback(); !started && verbose)
    rt::eprintln("init: cannot start the loopback interface: {}", started.error());
}

/// The kernel's environment for PID 1, with what programs expect and it does not set.
class Environment {
 public:
  explicit Environment(char** given) {
    while (size_ < most && given[size_]) {
      variables_[size_] = given[size_];
      ++size_;
    }
    set_if_missing("PATH=", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/");
    set_if_missing("HOME=", "HOME=/");
    set_if_missing("TERM=", "TERM=linux");
  }
  const char* const* variables() const { return variables_; }

 private:
  void set_if_missing(std::string_view name, const char* variable) {
    for (std::size_t i = 0; i < size_; ++i)
      if (std::string_view(variables_[i]).starts_with(name)) return;
    variables_[size_++] = variable;
  }

  static constexpr std::size_t most = 64; // the kernel passes at most 32
  const char* variables_[most + 4] = {};
  std::size_t size_ = 0;
};

/// The last line on the console, and the end. PID 1 never returns: that would be a kernel panic.
[[noreturn]] inline void finish_machine(int code, rt::kernel::MachineEnd how) {
  rt::kernel::sync_disks();
  rt::println("init: exit code {}", code);
  (void)rt::kernel::drain_terminal(1);
  for (;;) {
    rt::eprintln("init: cannot end the machine: {}", rt::kernel::end_machine(how));
    (void)rt::kernel::wait_for_signal({}); // for ever
  }
}

} // namespace init
