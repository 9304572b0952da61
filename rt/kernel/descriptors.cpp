#include <rt/kernel/descriptors.hpp>

#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/resource.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>

#include <algorithm>

namespace rt::kernel {
namespace {

// The number of a name in /proc/self/fd; -1 of "." and "..".
int number_of(const char* name) {
  int number = 0;
  for (; *name; ++name) {
    if (*name < '0' || *name > '9') return -1;
    number = number * 10 + (*name - '0');
  }
  return number;
}

// Closes what the directory names. False: there is no /proc.
bool close_listed(unsigned first, unsigned last) {
  const auto directory = open_file("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory) return false;
  DirectoryReader reader(*directory);
  for (auto name = reader.next(); name && *name; name = reader.next()) {
    const int number = number_of(*name);
    if (number >= 0 && number != *directory && static_cast<unsigned>(number) >= first &&
        static_cast<unsigned>(number) <= last)
      (void)close_file(number);
  }
  (void)close_file(*directory);
  return true;
}

Result<void> control(int descriptor, int command, long argument) {
  const long result = arch::syscall(__NR_fcntl, descriptor, command, argument);
  return result < 0 ? Error::from_kernel(result) : Result<void>{};
}

} // namespace

void close_descriptors(unsigned first, unsigned last) {
  if (first > last || arch::syscall(__NR_close_range, first, last, 0) == 0) return;
  if (close_listed(first, last)) return;
  const std::uint64_t end = std::min<std::uint64_t>(limits_of(Resource::descriptors).current, std::uint64_t{last} + 1);
  for (std::uint64_t number = first; number < end; ++number) (void)close_file(static_cast<int>(number));
}

Result<int> duplicate_above(int descriptor, int least) {
  const long result = arch::syscall(__NR_fcntl, descriptor, F_DUPFD_CLOEXEC, least);
  if (result < 0) return Error::from_kernel(result);
  return static_cast<int>(result);
}

Result<void> set_close_on_exec(int descriptor, bool close) {
  return control(descriptor, F_SETFD, close ? FD_CLOEXEC : 0);
}

Result<void> signal_at_input(int descriptor, int signal) {
  if (const auto done = control(descriptor, F_SETSIG, signal); !done) return done;
  if (const auto done = control(descriptor, F_SETOWN, process_id()); !done) return done;
  return control(descriptor, F_SETFL, FASYNC);
}

} // namespace rt::kernel
