#include <rt/hub/readiness.hpp>

#include <rt/hub/hub.hpp>
#include <rt/hub/poller.hpp>

namespace rt {
namespace {

Result<Ready> block_thread(int descriptor, Ready events, Deadline deadline) {
  kernel::Polled polled(descriptor, events);
  if (descriptor < 0) return Errc::bad_file_descriptor; // poll(2) would leave it out
  for (;;) {
    const auto found = kernel::poll({&polled, 1}, deadline);
    if (!found && found.error().code == Errc::interrupted) continue;
    if (!found) return found.error();
    if (*found == 0) return Errc::timed_out;
    if (!polled.is_open()) return Errc::bad_file_descriptor;
    return polled.ready();
  }
}

} // namespace

Result<Ready> wait_until_ready(int descriptor, Ready events, Deadline deadline) {
  // Whoever has no time at all does not stop for others either.
  if (!hub::running_flow || deadline == Deadline::at(0))
    return block_thread(descriptor, events, deadline.limited_to(current_task().limit));
  const Result<hub::Poller*> poller = hub::Poller::of(*hub::running_flow->hub);
  if (!poller) return poller.error();
  return poller.value()->wait(descriptor, events, deadline);
}

} // namespace rt
