#pragma once

namespace rt {

/// How many CPUs this process may run on (sched_getaffinity(2)); at least 1.
unsigned cpu_count();

} // namespace rt
