#include <rt/process/manager_object.hpp>

#include <rt/hub/readiness.hpp>

namespace rt::managing {

// --- Arguments -------------------------------------------------------------------------------------------------------

Value& Request::argument(std::size_t index) { return has(index) ? arguments_[index] : left_out_; }

Result<std::int64_t> Request::integer(std::size_t index, std::optional<std::int64_t> fallback) {
  const Value& value = argument(index);
  if (value.is_null() && fallback) return *fallback;
  if (!value.is_integer()) return Errc::invalid_argument;
  return value.integer();
}

Result<Patience> Request::patience(std::size_t index) {
  const Value& value = argument(index);
  if (value.is_null()) return Patience{};
  if (!value.is_number() || value.number() != value.number()) return Errc::invalid_argument;
  if (value.number() <= 0) return Patience{true, Deadline::at(0)};
  return Patience{false, Deadline::after(std::chrono::duration<double>(value.number()))};
}

// --- Waiting ---------------------------------------------------------------------------------------------------------

/// A request that waits, on its fiber's stack.
class Waiting {
 public:
  Event event;
  bool woken = false;
  bool hand_on = false; // the wake-up, if it cannot be used
  Errc outcome = Errc::none;
  Waiting* next = nullptr;
};

Link::~Link() {
  if (!watcher_.joinable()) return;
  watcher_.cancel();
  watcher_.join();
}

/// While a request waits, nobody reads from its connection: a fiber looks whether the client has gone.
Result<void> Link::watch() {
  if (watcher_.joinable()) return {};
  auto watcher = try_spawn(FiberOptions{"watcher"}, [this] {
    if (!wait_until_ready(descriptor_, Ready::peer_shut)) return;
    gone_ = true;
    if (waiting_) waiting_->event.set();
  });
  if (!watcher) return watcher.error();
  watcher_ = std::move(*watcher);
  return {};
}

Result<void> WaitQueue::wait(Request& request, const Patience& patience) {
  if (patience.none) return Errc::would_block;
  Link& link = request.link;
  if (link.gone()) return Errc::canceled;
  if (const auto watched = link.watch(); !watched) return watched;
  Waiting waiting;
  *last_ = &waiting;
  last_ = &waiting.next;
  ++size_;
  link.waiting_ = &waiting;
  const std::chrono::nanoseconds left =
      patience.deadline.never()
          ? forever
          : std::chrono::nanoseconds(patience.deadline.nanoseconds()) - Clock::now().time_since_epoch();
  (void)waiting.event.wait_for(left);
  link.waiting_ = nullptr;
  if (!waiting.woken) {
    remove(waiting);
    return link.gone() ? Errc::canceled : Errc::timed_out;
  }
  if (waiting.hand_on && link.gone()) {
    wake(1);
    return Errc::canceled;
  }
  return waiting.outcome;
}

void WaitQueue::wake(std::size_t count) {
  for (; first_ && count != 0; --count) wake_first(true, Errc::none);
}

void WaitQueue::wake_all(Errc outcome) {
  while (first_) wake_first(false, outcome);
}

void WaitQueue::wake_first(bool hand_on, Errc outcome) {
  Waiting& waiting = *first_;
  remove(waiting);
  waiting.woken = true;
  waiting.hand_on = hand_on;
  waiting.outcome = outcome;
  waiting.event.set();
}

void WaitQueue::remove(Waiting& waiting) {
  Waiting** link = &first_;
  while (*link != &waiting) link = &(*link)->next;
  *link = waiting.next;
  if (!waiting.next) last_ = link;
  --size_;
}

} // namespace rt::managing
