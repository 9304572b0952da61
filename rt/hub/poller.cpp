#include <rt/hub/poller.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/print.hpp>
#include <rt/hub/epoll_poller.hpp>
#include <rt/hub/hub.hpp>
#include <rt/hub/io_uring_poller.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/kernel/file.hpp>
#include <rt/kernel/process.hpp>

namespace rt::hub {
namespace {

[[noreturn]] void refuse_engine(std::string_view engine, std::string_view why) {
  eprintln("RT_ENGINE={}: {}; it can be epoll or io_uring, or not be set", engine, why);
  kernel::exit_process(2);
}

std::string_view chosen_engine() {
  const char* const forced = kernel::environment_variable("RT_ENGINE");
  return forced && *forced ? forced : "epoll";
}

Result<Poller*> make(Hub& hub, std::string_view engine) {
  if (engine == "epoll") return EpollPoller::make(hub);
  if (engine != "io_uring") refuse_engine(engine, "there is no such engine");
  const Result<Poller*> made = IoUringPoller::make(hub);
  if (!made) refuse_engine(engine, made.error().message());
  return made;
}

} // namespace

Result<Poller*> Poller::of(Hub& hub) {
  Poller* const before = hub.poller();
  if (before && before->in_use()) return before;
  const std::string_view engine = chosen_engine();
  if (before && before->engine() == engine) {
    before->thread_ended_ = false;
    return before;
  }
  const Result<Poller*> made = make(hub, engine);
  if (!made) return made;
  Poller& poller = *made.value();
  poller.next_ = all.load(std::memory_order_relaxed);
  while (!all.compare_exchange_weak(poller.next_, &poller, std::memory_order_release, std::memory_order_relaxed)) {
  }
  kernel::descriptor_closes.store(closing, std::memory_order_relaxed);
  hub.set_poller(poller);
  return &poller;
}

Result<DescriptorEntry*> Poller::enter(int descriptor) {
  if (descriptor < 0) return Errc::bad_file_descriptor;
  DescriptorEntry* const entry = table_.find_or_add(descriptor);
  if (!entry) return Errc::not_enough_memory;
  // Who is there still waits for what the number meant before.
  if (entry->state.load(std::memory_order_acquire) & DescriptorEntry::closed) end_waits(*entry);
  return entry;
}

void Poller::await_wake(DescriptorWaiter& waiter) {
  ++waiting_;
  waiter.await_unpark();
  --waiting_;
  if (last_woken_ == &waiter) last_woken_ = nullptr;
}

void Poller::wake(DescriptorWaiter& waiter) {
  if (waiter.listed) waiter.entry.waiters.remove(waiter);
  last_woken_ = &waiter;
  waiter.unpark();
}

void Poller::end_waits(DescriptorEntry& entry) {
  entry.state.store(0, std::memory_order_relaxed);
  entry.unclaimed = 0;
  while (Waiter* const waiter = entry.waiters.front()) {
    auto& waits = static_cast<DescriptorWaiter&>(*waiter);
    entry.waiters.remove(waits);
    waits.closed = true;
    end_wait(waits);
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

// A flow of the hub may be about to wait for it, and rely on what the kernel is about to forget: either it finds that
// the descriptor is closed, or is in the entry when the hub looks.
void Poller::close_from_elsewhere(int descriptor) {
  DescriptorEntry* const entry = descriptor < 0 ? nullptr : table_.find(descriptor);
  if (!entry) return;
  const std::uint32_t before = entry->state.fetch_or(DescriptorEntry::closed, std::memory_order_acq_rel);
  if (!(before & DescriptorEntry::watched)) return;
  forget(descriptor);
  entry->state.fetch_or(DescriptorEntry::closed, std::memory_order_release);
  hub_.look_for_canceled();
}

void Poller::end_thread() { thread_ended_ = true; }

void Poller::look_for_closed() {
  table_.visit([this](int, DescriptorEntry& entry) {
    if (entry.state.load(std::memory_order_acquire) & DescriptorEntry::closed) end_waits(entry);
  });
}

void Poller::abandon_all() {
  if (kernel::descriptor_closes.load(std::memory_order_relaxed))
    kernel::descriptor_closes.store(nullptr, std::memory_order_relaxed);
  if (!all.load(std::memory_order_relaxed)) return;
  for (Poller* poller = all.exchange(nullptr, std::memory_order_acquire); poller; poller = poller->next_)
    poller->abandon();
}

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_pollers() { Poller::abandon_all(); }
RT_IN_FORKED(21, rt_fork_pollers);

} // namespace rt::hub
