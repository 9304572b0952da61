#include <rt/hub/readiness.hpp>

#include <rt/base/task.hpp>

namespace rt {

Result<Ready> wait_until_ready(int descriptor, Ready events, Deadline deadline) {
  deadline = deadline.limited_to(current_task().limit);
  kernel::Polled polled(descriptor, events);
  for (;;) {
    const auto found = kernel::poll({&polled, 1}, deadline);
    if (!found && found.error().code == Errc::interrupted) continue;
    if (!found) return found.error();
    if (*found == 0) return Errc::timed_out;
    if (!polled.is_open()) return Errc::bad_file_descriptor;
    return polled.ready();
  }
}

} // namespace rt
