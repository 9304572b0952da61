#include <rt/hub/epoll_poller.hpp>

#include <rt/kernel/event_counter.hpp>
#include <rt/kernel/file.hpp>
#include <rt/memory/heap.hpp>

#include <new>

namespace rt::hub {
namespace {

using kernel::EpollChange;

constexpr std::uint32_t mask = DescriptorEntry::watched - 1; // of Ready, in an entry's state

} // namespace

Result<Poller*> EpollPoller::make(Hub& hub) {
  const Result<int> epoll = kernel::make_epoll();
  if (!epoll) return epoll.error();
  const Result<int> waker = kernel::make_event_counter();
  Errc code = waker.error().code;
  if (waker) code = kernel::change_epoll(*epoll, EpollChange::add, *waker, Ready::read | kernel::edge_triggered);
  void* const memory = code == Errc::none ? heap::allocate(sizeof(EpollPoller), alignof(EpollPoller)) : nullptr;
  if (memory) return ::new (memory) EpollPoller(hub, *epoll, *waker);
  if (waker) (void)kernel::close_file(*waker);
  (void)kernel::close_file(*epoll);
  return code != Errc::none ? code : Errc::not_enough_memory;
}

// The kernel is asked for what it watches for already as well. What it knows may differ from what the entry says where
// a descriptor was closed or replaced behind the runtime's back.
Errc EpollPoller::watch(int descriptor, DescriptorEntry& entry, std::uint32_t events) {
  const std::uint32_t before = entry.state.load(std::memory_order_relaxed);
  const std::uint32_t now = before | events;
  const auto ready = static_cast<Ready>(now & mask);
  const bool added = before & DescriptorEntry::watched;
  Errc code = kernel::change_epoll(epoll_, added ? EpollChange::modify : EpollChange::add, descriptor, ready);
  if (code == Errc::file_exists) code = kernel::change_epoll(epoll_, EpollChange::modify, descriptor, ready);
  if (code == Errc::no_such_file_or_directory) code = kernel::change_epoll(epoll_, EpollChange::add, descriptor, ready);
  if (code == Errc::none) entry.state.fetch_or(events, std::memory_order_release);
  return code;
}

void EpollPoller::forget(int descriptor) { kernel::change_epoll(epoll_, EpollChange::remove, descriptor, Ready::none); }

void EpollPoller::abandon() {
  (void)kernel::close_file(epoll_);
  (void)kernel::close_file(waker_);
}

// Of errors and a hang-up the kernel tells as long as it knows the descriptor.
void EpollPoller::silence(int descriptor, DescriptorEntry& entry, std::uint32_t events) {
  const std::uint32_t before = entry.state.load(std::memory_order_relaxed);
  const std::uint32_t rest = before & mask & ~events;
  entry.unclaimed = 0;
  if (before & DescriptorEntry::closed) return;
  if (rest == 0 || (events & ~before) != 0) {
    forget(descriptor);
    entry.state.fetch_and(DescriptorEntry::closed, std::memory_order_relaxed);
  } else {
    kernel::change_epoll(epoll_, EpollChange::modify, descriptor, static_cast<Ready>(rest));
    entry.state.fetch_and(~(events & mask), std::memory_order_relaxed);
  }
}

void EpollPoller::look(Deadline deadline) {
  const Result<unsigned> found = kernel::wait_in_epoll(epoll_, events_, deadline);
  if (!found) return; // interrupted by a signal
  for (unsigned i = 0; i < *found; ++i) {
    const int descriptor = events_[i].descriptor();
    if (descriptor == waker_) continue;
    DescriptorEntry& entry = *table_.find(descriptor);
    if (const auto unwanted = deliver(entry, static_cast<std::uint32_t>(events_[i].ready())))
      silence(descriptor, entry, unwanted);
  }
}

void EpollPoller::wake() { kernel::add_to_event_counter(waker_); }

} // namespace rt::hub
