#include <rt/kernel/terminal.hpp>

#include <rt/kernel/file.hpp>

#include <asm/ioctls.h>
#include <asm/termbits.h>

namespace rt::kernel {
namespace {

// Some requests take a number where the others take an address.
Result<void> request(int descriptor, unsigned long code, std::uintptr_t argument) {
  return control_device(descriptor, code, reinterpret_cast<void*>(argument)).error();
}

} // namespace

bool is_terminal(int descriptor) {
  struct termios settings;
  return control_device(descriptor, TCGETS, &settings).ok();
}

Result<ProcessId> foreground_group(int descriptor) {
  ProcessId group = 0;
  if (const auto result = control_device(descriptor, TIOCGPGRP, &group); !result) return result.error();
  return group;
}

Result<void> set_foreground_group(int descriptor, ProcessId group) {
  return control_device(descriptor, TIOCSPGRP, &group).error();
}

Result<void> take_controlling_terminal(int descriptor) { return request(descriptor, TIOCSCTTY, 0); }

Result<void> drain_terminal(int descriptor) { return request(descriptor, TCSBRK, 1); }

} // namespace rt::kernel
