// Descriptors as a whole, also where close_range(2) is forbidden.

#include "sync_test.hpp"

#include <rt/kernel/descriptors.hpp>
#include <rt/kernel/file.hpp>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

using namespace sync_test;

namespace {

/// From now on the system call fails with the error.
bool forbid(int number, int error) {
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), // the number of the call
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{std::size(code), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// Opens some descriptors, closes those from 50 to 60, and looks.
bool closes_exactly_those() {
  for (const int number : {49, 50, 55, 60, 61, 70})
    if (dup2(2, number) != number) return false;
  rt::kernel::close_descriptors(50, 60);
  for (const int number : {49, 61, 70})
    if (!rt::kernel::is_open(number)) return false;
  for (int number = 50; number <= 60; ++number)
    if (rt::kernel::is_open(number)) return false;
  rt::kernel::close_descriptors(61, ~0u);
  return rt::kernel::is_open(49) && !rt::kernel::is_open(61) && !rt::kernel::is_open(70);
}

} // namespace

TEST_CASE("a range of descriptors is closed, and no other") { CHECK(in_child(closes_exactly_those).exited_with(0)); }

TEST_CASE("a range of descriptors is closed where close_range is forbidden, and where there is no /proc either") {
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(in_child([error] { return forbid(SYS_close_range, error) && closes_exactly_those(); }).exited_with(0));
    CHECK(in_child([error] {
            const rlimit few{100, 100};
            return setrlimit(RLIMIT_NOFILE, &few) == 0 && forbid(SYS_close_range, error) &&
                   forbid(SYS_openat, ENOENT) && closes_exactly_those();
          }).exited_with(0));
  }
}

TEST_CASE("a descriptor is duplicated above a number, and closed at execution or not as it is told") {
  const int number = rt::kernel::duplicate_above(2, 40).value();
  CHECK(number >= 40);
  CHECK(fcntl(number, F_GETFD) == FD_CLOEXEC);
  rt::kernel::set_close_on_exec(number, false).value();
  CHECK(fcntl(number, F_GETFD) == 0);
  close(number);
  CHECK(rt::kernel::duplicate_above(number, 40).error() == rt::Errc::bad_file_descriptor);
  CHECK(rt::kernel::set_close_on_exec(number, true).error() == rt::Errc::bad_file_descriptor);
}
