#include <rt/hub/epoll_poller.hpp>

#include <rt/kernel/event_counter.hpp>
#include <rt/kernel/file.hpp>
#include <rt/memory/heap.hpp>

#include <new>

namespace rt::hub {
namespace {

using kernel::EpollChange;

constexpr std::uint32_t bits(Ready events) { return static_cast<std::uint32_t>(events); }

constexpr std::uint32_t mask = DescriptorEntry::watched - 1; // of Ready, in an entry's state

// What the kernel can be asked to watch for, and what it tells of without being asked.
constexpr std::uint32_t askable = bits(Ready::read | Ready::urgent | Ready::write | Ready::peer_shut);
constexpr std::uint32_t unasked = bits(Ready::error | Ready::hang_up);

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

Result<Ready> EpollPoller::wait(int descriptor, Ready events, Deadline deadline) {
  const Result<DescriptorEntry*> entered = enter(descriptor);
  if (!entered) return entered.error();
  DescriptorEntry& entry = *entered.value();
  const std::uint32_t needed = (bits(events) & askable) | DescriptorEntry::watched;
  if ((entry.state.load(std::memory_order_relaxed) & needed) != needed)
    if (const Errc code = watch(descriptor, entry, needed); code != Errc::none)
      return code == Errc::operation_not_permitted ? Result<Ready>(events) : code; // as of a regular file

  DescriptorWaiter waiter(entry, events);
  const Parked parked = park(waiter, deadline);
  if (parked != Parked::unparked) return error_of(parked);
  if (waiter.closed) return Errc::bad_file_descriptor;
  return waiter.found;
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
  if (code != Errc::none) return code;
  if (!(entry.state.fetch_or(events, std::memory_order_acq_rel) & DescriptorEntry::closed)) return Errc::none;
  forget(descriptor); // which another thread has begun to close meanwhile
  return Errc::bad_file_descriptor;
}

void EpollPoller::forget(int descriptor) { kernel::change_epoll(epoll_, EpollChange::remove, descriptor, Ready::none); }

// Wakes who waits for the events, and returns those that nobody waits for, if that has been so the last time too.
std::uint32_t EpollPoller::deliver(DescriptorEntry& entry, std::uint32_t events) {
  const bool all = events & unasked;
  std::uint32_t left = events;
  for (Waiter *waiter = entry.waiters.front(), *next; waiter && (left || all); waiter = next) {
    next = waiter->next;
    auto& waits = static_cast<DescriptorWaiter&>(*waiter);
    const std::uint32_t wanted = bits(waits.wanted) & left;
    if (!wanted && !all) continue;
    left &= ~(wanted | unasked);
    waits.found = static_cast<Ready>(events & (bits(waits.wanted) | unasked));
    Poller::wake(waits);
  }
  const std::uint32_t twice = left & entry.unclaimed;
  entry.unclaimed = left;
  return twice;
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
  // Fetched side by side, before one after the other is needed; as Hub::fetch_next.
  for (unsigned i = 0; i < *found; ++i)
    if (const DescriptorEntry* const entry = table_.find(events_[i].descriptor()))
      __builtin_prefetch(entry->waiters.front());
  for (unsigned i = 0; i < *found; ++i) {
    const int descriptor = events_[i].descriptor();
    if (descriptor == waker_) continue;
    DescriptorEntry& entry = *table_.find(descriptor);
    if (const auto unwanted = deliver(entry, static_cast<std::uint32_t>(events_[i].ready())))
      silence(descriptor, entry, unwanted);
  }
}

void EpollPoller::wake() { kernel::add_to_event_counter(waker_); }

void EpollPoller::abandon() {
  (void)kernel::close_file(epoll_);
  (void)kernel::close_file(waker_);
}

} // namespace rt::hub
