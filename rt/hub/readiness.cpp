#include <rt/hub/readiness.hpp>

#include <rt/hub/hub.hpp>
#include <rt/hub/poller.hpp>

namespace rt {
namespace {

[[gnu::noinline]] Result<Ready> block_thread(int descriptor, Ready events, Deadline deadline) {
  deadline = deadline.limited_to(current_task().limit);
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

[[gnu::noinline]] Result<Ready> wait_in_new_poller(int descriptor, Ready events, Deadline deadline) {
  const Result<hub::Poller*> poller = hub::Poller::of(*hub::running_flow->hub);
  if (!poller) return poller.error();
  return poller.value()->wait(descriptor, events, deadline);
}

} // namespace

// What only few need is not inline: a fiber waits in this function's frame.
Result<Ready> wait_until_ready(int descriptor, Ready events, Deadline deadline) {
  // Whoever has no time at all does not stop for others either.
  if (!hub::running_flow || deadline == Deadline::at(0)) return block_thread(descriptor, events, deadline);
  hub::Poller* const poller = hub::running_flow->hub->poller();
  if (!poller || !poller->in_use()) [[unlikely]]
    return wait_in_new_poller(descriptor, events, deadline);
  return poller->wait(descriptor, events, deadline);
}

} // namespace rt
