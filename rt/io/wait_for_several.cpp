#include <rt/io/wait_for_several.hpp>

#include <rt/kernel/epoll.hpp>

namespace rt {
namespace selecting {
namespace {

Ready wanted(const kernel::Polled& polled) { return static_cast<Ready>(polled.wanted); }

// All that is wanted of a descriptor which is there more than once.
Ready wanted_of(int descriptor, std::span<const kernel::Polled> descriptors) {
  Ready all = Ready::none;
  for (const auto& polled : descriptors)
    if (polled.descriptor == descriptor) all = all | wanted(polled);
  return all;
}

} // namespace

// poll(2) and epoll differ in when they tell of a hang-up that nobody has asked for, and select(2) differs from both.
// At an edge this costs one more look; at a level it would be told again and again.
Result<void> WaitingSet::fill(std::span<const kernel::Polled> descriptors) {
  const Result<int> made = kernel::make_epoll();
  if (!made) return made.error();
  epoll_ = Fd(*made);
  for (const auto& polled : descriptors) {
    if (polled.descriptor < 0) continue;
    const auto tell = [&](kernel::EpollChange change, Ready events) {
      return kernel::change_epoll(epoll_.number(), change, polled.descriptor, events | kernel::edge_triggered);
    };
    Errc failure = tell(kernel::EpollChange::add, wanted(polled));
    if (failure == Errc::file_exists)
      failure = tell(kernel::EpollChange::modify, wanted_of(polled.descriptor, descriptors));
    if (failure != Errc::none) return failure;
  }
  return {};
}

Result<void> WaitingSet::wait(std::span<const kernel::Polled> descriptors, Deadline deadline) {
  if (!epoll_) {
    if (const Result<void> filled = fill(descriptors); !filled) {
      epoll_.close();
      return filled;
    }
  }
  const Result<Ready> ready = wait_until_ready(epoll_.number(), Ready::read, deadline);
  if (!ready) return ready.error();
  kernel::EpollEvent told[16]; // what is left in the set ends the next wait at once
  (void)kernel::wait_in_epoll(epoll_.number(), told, Deadline::at(0));
  return {};
}

} // namespace selecting

Result<unsigned> wait_for_several(std::span<kernel::Polled> descriptors, Deadline deadline) {
  selecting::WaitingSet set;
  return selecting::look_or_suspend(
      deadline, [&](Deadline until) { return kernel::poll(descriptors, until); },
      [&](Deadline until) { return set.wait(descriptors, until); });
}

} // namespace rt
