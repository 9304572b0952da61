// What a worker of a pool does.

#include <rt/process/pool_core.hpp>

#include <rt/kernel/event_counter.hpp>

namespace rt::pooling {

int Core::work(WorkerNumber number) {
  kernel::block_signals(signals_);
  if (initializer_) initializer_();
  ring_->set_ready(number, true);
  for (unsigned tasks = 0; max_tasks_ == 0 || tasks < max_tasks_;) {
    Slot* const slot = ring_->take(number);
    if (!slot) {
      if (ring_->closed()) break;
      ring_->wait_for_task(number);
      continue;
    }
    const std::uint64_t size = std::exchange(slot->size, 0);
    if (slot->run) {
      const std::byte* const message = size <= Slot::inline_size ? slot->data : pages_.at(slot->pages);
      if (slot->timed) slot->began.store(Clock::now().time_since_epoch().count(), std::memory_order_release);
      Outgoing answer(*slot, pages_, owner_of(number));
      slot->error = slot->run(Incoming(message, size), answer);
      ++tasks;
    }
    bool wake_collector = false;
    if (!ring_->finish(number, *slot, wake_collector)) break; // it is being killed
    if (wake_collector) kernel::add_to_event_counter(bell_.number());
  }
  return 0;
}

} // namespace rt::pooling
