// Where the tests run in a chroot, as in a bare system that debootstrap has made, its directory becomes the root of a
// mount namespace of their own before they begin: the kernel makes no namespaces of users in a chroot and lets nobody
// pivot out of a root that is no mount, and the tests of containers need both. A system without pseudo-terminals gets
// some as well. Both are for root only, and are gone with the tests.

#include <cstdio>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

bool users_can_be_made() {
  const pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  return waitpid(child, &status, 0) == child && status == 0;
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  _exit(1);
}

// setns(2) to a mount namespace, also to one's own, makes the namespace's root that of the process. From there the
// directory of the chroot, which is still open, is mounted on itself and becomes the root again. There is no way back
// from half of that.
void enter_own_root() {
  if (unshare(CLONE_NEWNS) != 0) fail("no mount namespace can be made in this chroot");
  const int directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) fail("/");
  const int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (mounts < 0) fail("the chroot needs /proc");
  if (setns(mounts, CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    fail("the root of the mount namespace");
  const int root = static_cast<int>(
      syscall(SYS_open_tree, directory, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH));
  if (root < 0 ||
      syscall(SYS_move_mount, root, "", directory, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0 ||
      fchdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0)
    fail("the chroot as the root of a mount namespace");
}

bool has_terminals() {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  return terminal >= 0 && close(terminal) == 0;
}

[[maybe_unused]] const bool ready = [] {
  if (geteuid() != 0 || users_can_be_made()) return true;
  char before[4096];
  if (!getcwd(before, sizeof before)) fail("the working directory");
  enter_own_root();
  if (chdir(before) != 0) fail(before);
  return has_terminals() || mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") == 0;
}();

} // namespace
