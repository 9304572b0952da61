#pragma once
// Limits on what a process may use, and its share of the CPU (getrlimit(2), setpriority(2)).

#include <rt/base/result.hpp>

#include <cstdint>

namespace rt::kernel {

/// The kernel's RLIMIT_ numbers, which are the same on all CPUs here.
enum class Resource : int {
  cpu_time = 0,      ///< seconds; SIGXCPU at the current limit, SIGKILL at the highest one
  file_size = 1,     ///< bytes of a file that is written; SIGXFSZ
  data = 2,          ///< bytes of private writable memory
  stack = 3,         ///< bytes of the main thread's stack
  core_size = 4,     ///< bytes of a core file; 0: none
  resident_set = 5,  ///< has no effect
  processes = 6,     ///< processes and threads of the user
  descriptors = 7,   ///< the highest number, plus 1
  locked_memory = 8, ///< bytes
  address_space = 9, ///< bytes
  locks = 10,        ///< has no effect
  pending_signals = 11,
  message_queues = 12, ///< bytes
  nice = 13,           ///< 20 minus the least nice value
  realtime_priority = 14,
  realtime_time = 15, ///< microseconds without a system call that blocks
};

struct Limits {
  static constexpr std::uint64_t unlimited = ~std::uint64_t{0};
  std::uint64_t current = unlimited;
  std::uint64_t highest = unlimited; ///< to which `current` may be raised
};

/// Of the calling process.
Limits limits_of(Resource resource);

/// Of the calling process. operation_not_permitted: the highest limit would be raised, without CAP_SYS_RESOURCE.
Result<void> set_limits(Resource resource, const Limits& limits);

/// Adds to the calling process's nice value, -20 to 19, within these. permission_denied: less needs CAP_SYS_NICE.
Result<void> add_to_nice(int increment);

} // namespace rt::kernel
