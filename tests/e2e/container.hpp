#pragma once
// Programs as PID 1 of a container: in new namespaces, with a read-only root that holds a few files and no /proc,
// without capabilities, and under a seccomp filter that refuses what Docker's default profile refuses.

#include "run.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

namespace e2e {

/// The directory, bound to itself, becomes the root of the caller's mount namespace.
inline bool enter_root(const char* directory, bool read_only) {
  return mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount(directory, directory, nullptr, MS_BIND, nullptr) == 0 && chdir(directory) == 0 &&
         syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
         (!read_only || mount("", "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) == 0);
}

/// The loopback interface of the caller's network namespace is up, as in every engine's containers.
inline bool start_loopback() {
  const int any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const bool started = any_socket >= 0 && ioctl(any_socket, SIOCSIFFLAGS, &request) == 0;
  close(any_socket);
  return started;
}

/// System calls that the profile refuses to a container without capabilities fail with EPERM.
inline bool refuse_as_docker() {
  std::vector<sock_filter> filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const unsigned refused :
       {SYS_clone3, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_mount, SYS_umount2,
        SYS_pivot_root, SYS_reboot, SYS_unshare, SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_keyctl, SYS_swapon}) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  // New namespaces by clone: the flags are its first argument on all CPUs here.
  constexpr unsigned namespaces =
      CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
  filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)));
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, namespaces, 0, 1));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// A root directory with the programs that it is made of.
class Container {
 public:
  explicit Container(const std::vector<std::string>& programs) {
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
    for (const auto& program : programs) {
      const auto copy = std::filesystem::path(directory_.path()) / std::filesystem::path(program).filename();
      std::filesystem::copy_file(program, copy);
      std::filesystem::permissions(copy, std::filesystem::perms(0755));
    }
  }

  /// Runs a program of the root as PID 1. `as_user`: for a user with no capability outside and, when it is running,
  /// none inside; root is given up for the moment of its creation. Otherwise with all that the caller may.
  Program start(const std::string& path, const std::vector<std::string>& arguments, bool as_user) const {
    Setting setting;
    setting.namespaces =
        CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | (as_user ? CLONE_NEWUSER : 0);
    setting.before_execution = [root = directory_.path(), as_user] {
      constexpr rlimit tasks{256, 256}; // as by an engine's --pids-limit; it binds users only
      return setrlimit(RLIMIT_NPROC, &tasks) == 0 && start_loopback() && enter_root(root.c_str(), true) &&
             (!as_user || refuse_as_docker());
    };
    const UserForNow user(as_user && geteuid() == 0);
    return Program(path, arguments, setting);
  }
  Ending run(const std::string& path, const std::vector<std::string>& arguments, bool as_user) const {
    return start(path, arguments, as_user).finish();
  }

 private:
  // New user namespaces belong to the effective user; limits bind the real one.
  struct UserForNow {
    static constexpr unsigned nobody = 65534;
    const bool changes;
    explicit UserForNow(bool change) : changes(change) {
      if (changes && (setresgid(nobody, nobody, 0) != 0 || setresuid(nobody, nobody, 0) != 0))
        throw std::runtime_error("setresuid");
    }
    ~UserForNow() {
      if (changes && (setresuid(0, 0, 0) != 0 || setresgid(0, 0, 0) != 0)) std::abort();
    }
  };

  TemporaryDirectory directory_;
};

} // namespace e2e
