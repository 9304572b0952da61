#include <rt/hub/poller.hpp>

#include <rt/base/hook.hpp>
#include <rt/hub/epoll_poller.hpp>
#include <rt/hub/hub.hpp>
#include <rt/kernel/file.hpp>

namespace rt::hub {
namespace {

constexpr std::uint32_t bits(Ready events) { return static_cast<std::uint32_t>(events); }

// What the kernel can be asked to watch for, and what it tells of without being asked.
constexpr std::uint32_t askable = bits(Ready::read | Ready::urgent | Ready::write | Ready::peer_shut);
constexpr std::uint32_t unasked = bits(Ready::error | Ready::hang_up);

} // namespace

Result<Poller*> Poller::of(Hub& hub) {
  if (hub.poller()) return hub.poller();
  const Result<Poller*> made = EpollPoller::make(hub);
  if (!made) return made;
  Poller& poller = *made.value();
  poller.next_ = all.load(std::memory_order_relaxed);
  while (!all.compare_exchange_weak(poller.next_, &poller, std::memory_order_release, std::memory_order_relaxed)) {
  }
  kernel::descriptor_closes.store(closing, std::memory_order_relaxed);
  hub.set_poller(poller);
  return &poller;
}

Result<Ready> Poller::wait(int descriptor, Ready events, Deadline deadline) {
  if (descriptor < 0) return Errc::bad_file_descriptor;
  DescriptorEntry* const entry = table_.find_or_add(descriptor);
  if (!entry) return Errc::not_enough_memory;
  std::uint32_t state = entry->state.load(std::memory_order_acquire);
  if (state & DescriptorEntry::closed) {
    end_waits(*entry); // for what the number meant before
    state = 0;
  }
  const std::uint32_t needed = (bits(events) & askable) | DescriptorEntry::watched;
  if ((state & needed) != needed)
    if (const Errc code = watch(descriptor, *entry, needed); code != Errc::none)
      return code == Errc::operation_not_permitted ? Result<Ready>(events) : code;

  DescriptorWaiter waiter(events);
  entry->waiters.push_back(waiter);
  ++waiting_;
  const Parked parked = waiter.park(deadline);
  --waiting_;
  if (waiter.listed) entry->waiters.remove(waiter);
  if (last_woken_ == &waiter) last_woken_ = nullptr;
  if (parked != Parked::unparked) return error_of(parked);
  if (waiter.closed) return Errc::bad_file_descriptor;
  return waiter.found;
}

std::uint32_t Poller::deliver(DescriptorEntry& entry, std::uint32_t events) {
  const bool all = events & unasked;
  std::uint32_t left = events;
  for (Waiter *waiter = entry.waiters.front(), *next; waiter && (left || all); waiter = next) {
    next = waiter->next;
    auto& waits = static_cast<DescriptorWaiter&>(*waiter);
    const std::uint32_t wanted = bits(waits.wanted) & left;
    if (!wanted && !all) continue;
    left &= ~(wanted | unasked);
    waits.found = static_cast<Ready>(events & (bits(waits.wanted) | unasked));
    entry.waiters.remove(waits);
    last_woken_ = &waits;
    waits.unpark();
  }
  const std::uint32_t twice = left & entry.unclaimed;
  entry.unclaimed = left;
  return twice;
}

void Poller::end_waits(DescriptorEntry& entry) {
  entry.state.store(0, std::memory_order_relaxed);
  entry.unclaimed = 0;
  while (Waiter* const waiter = entry.waiters.front()) {
    static_cast<DescriptorWaiter*>(waiter)->closed = true;
    entry.waiters.remove(*waiter);
    waiter->unpark();
  }
}

void Poller::closing(int descriptor) {
  Poller* const own = running_flow ? running_flow->hub->poller() : nullptr;
  for (Poller* poller = all.load(std::memory_order_acquire); poller; poller = poller->next_)
    poller == own ? poller->close(descriptor) : poller->close_from_elsewhere(descriptor);
}

void Poller::close(int descriptor) {
  DescriptorEntry* const entry = descriptor < 0 ? nullptr : table_.find(descriptor);
  const std::uint32_t state = entry ? entry->state.load(std::memory_order_relaxed) : 0;
  if (state == 0) return;
  if (!(state & DescriptorEntry::closed)) forget(descriptor);
  end_waits(*entry);
}

// The kernel forgets it first: if a flow of the hub comes to wait for it meanwhile, it relies on what is gone, but is
// in the entry when the hub looks for what was closed.
void Poller::close_from_elsewhere(int descriptor) {
  DescriptorEntry* const entry = descriptor < 0 ? nullptr : table_.find(descriptor);
  if (!entry || entry->state.load(std::memory_order_acquire) == 0) return;
  forget(descriptor);
  entry->state.fetch_or(DescriptorEntry::closed, std::memory_order_release);
  hub_.look_for_canceled();
}

void Poller::abandon_all() {
  Poller* poller = all.exchange(nullptr, std::memory_order_relaxed);
  for (; poller; poller = poller->next_) poller->abandon();
}

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_pollers(ForkPhase phase) {
  if (phase == ForkPhase::child) Poller::abandon_all();
}
RT_AT_FORK(21, rt_fork_pollers);

void Poller::look_for_closed() {
  table_.visit([](int, DescriptorEntry& entry) {
    if (entry.state.load(std::memory_order_acquire) & DescriptorEntry::closed) end_waits(entry);
  });
}

} // namespace rt::hub
