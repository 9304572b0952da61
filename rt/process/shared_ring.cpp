#include <rt/process/shared_ring.hpp>

#include <rt/base/panic.hpp>
#include <rt/sync/flagged_wait.hpp>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

namespace rt {
namespace {

constexpr std::uint64_t magic = 0x676e6972'64657274; // "trdering" in memory
constexpr std::size_t least_capacity = 64;
constexpr std::chrono::milliseconds longest_patience{10};

} // namespace

std::size_t SharedRing::rounded(std::size_t capacity) {
  if (capacity > most_capacity) panic("a shared queue for {} bytes: {} are the most", capacity, most_capacity);
  return (std::max(capacity, least_capacity) + unit - 1) / unit * unit;
}

SharedRing::SharedRing(std::size_t capacity, std::size_t most_messages)
    : magic_(magic), capacity_units_(static_cast<std::uint32_t>(rounded(capacity) / unit)),
      most_messages_(most_messages == 0 ? capacity_units_
                                        : static_cast<std::uint32_t>(std::min<std::size_t>(most_messages, 1u << 31))) {}

SharedRing* SharedRing::in(void* memory, std::size_t size) {
  auto* const ring = std::launder(static_cast<SharedRing*>(memory));
  const bool whole = size >= sizeof(SharedRing) + least_capacity && ring->magic_ == magic &&
                     size == sizeof(SharedRing) + std::size_t{ring->capacity_units_} * unit;
  return whole ? ring : nullptr;
}

void SharedRing::write(char* place, Bytes message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  __builtin_memcpy(place, &length, sizeof length);
  place += sizeof length;
  const std::size_t first = std::min(message.size(), static_cast<std::size_t>(end() - place));
  if (first > 0) __builtin_memcpy(place, message.data(), first);
  if (first < message.size()) __builtin_memcpy(bytes(), message.data() + first, message.size() - first);
}

Result<void> SharedRing::accept_at(const char* place, std::uint32_t length, Accept* accept, void* argument) {
  const char* const begin = place + sizeof length;
  const std::size_t first = std::min<std::size_t>(length, static_cast<std::size_t>(end() - begin));
  return accept(argument, {reinterpret_cast<const std::byte*>(begin), first},
                {reinterpret_cast<const std::byte*>(bytes()), length - first});
}

// Those who wait for the new tail are told of it when the lock is free again.
Errc SharedRing::put_now(Bytes message, std::uint32_t units, std::uint32_t& seen_head) {
  bool wake;
  {
    const std::lock_guard guard(put_lock_);
    if (closed_.load(std::memory_order_relaxed)) return Errc::closed;
    const Position tail = tail_.load(std::memory_order_relaxed);
    Position head = seen_head_.load(std::memory_order_relaxed);
    if (!has_room(tail, head, units)) {
      head = head_.load(std::memory_order_acquire);
      seen_head_.store(head, std::memory_order_relaxed);
    }
    seen_head = head.messages;
    if (!has_room(tail, head, units)) return Errc::full;
    write(at(tail.place), message);
    tail_.store(after(tail, units), std::memory_order_release);
    wake = std::exchange(getters_wait_, false);
  }
  if (wake) SharedScope::wake(tail_.messages, 1);
  return Errc::none;
}

std::uint32_t SharedRing::units_for(Bytes message) const {
  if (message.size() > most_capacity) return 0;
  const std::size_t units = room_for(message.size()) / unit;
  return units <= capacity_units_ ? static_cast<std::uint32_t>(units) : 0;
}

Result<void> SharedRing::try_put(Bytes message) {
  std::uint32_t seen_head;
  const std::uint32_t units = units_for(message);
  return units != 0 ? put_now(message, units, seen_head) : Errc::message_size;
}

Result<void> SharedRing::put(Bytes message, Deadline deadline) {
  const std::uint32_t units = units_for(message);
  if (units == 0) return Errc::message_size;
  std::uint32_t seen_head;
  Errc put = put_now(message, units, seen_head);
  Waited waited = Waited::changed;
  bool was_woken = false, patient = true;
  while (put == Errc::full && !gave_up(waited)) {
    waited = wait_for_room(units, seen_head, deadline, patient);
    was_woken |= waited == Waited::woken;
    put = put_now(message, units, seen_head);
  }
  if (was_woken) wake_next_putter(units);
  return put == Errc::full ? error_of(waited) : put;
}

Waited SharedRing::wait_for_room(std::uint32_t units, std::uint32_t seen_head, Deadline deadline, bool& patient) {
  if (watch(head_.messages, seen_head)) return Waited::changed;
  {
    const std::unique_lock guard = lock_for_get();
    if (head_.load(std::memory_order_relaxed).messages != seen_head) return Waited::changed;
    want_room(units);
    set_patience(patient, seen_head);
  }
  const Deadline last = patient ? std::min(deadline, Deadline::after(longest_patience)) : deadline;
  const Waited waited = SharedScope::wait_on(head_.messages, seen_head, last);
  if (waited != Waited::timed_out || last == deadline) return waited;
  patient = false;
  return Waited::changed;
}

void SharedRing::set_patience(bool patient, std::uint32_t head) {
  const std::uint32_t most = std::max((tail_.load(std::memory_order_relaxed).messages - head) / 2, 1u);
  const bool at_once = head - full_at_ <= 2 * patience_;
  patience_ = !patient ? 1 : at_once ? std::min(2 * patience_, most) : std::max(patience_ / 2, 1u);
  full_at_ = head;
}

void SharedRing::want_room(std::uint32_t units) {
  least_wanted_ = least_wanted_ == 0 ? units : std::min(least_wanted_, units);
  if (wanted_ == 0) wanted_ = units;
  if (wanted_ != units) wanted_ = different;
}

unsigned SharedRing::putters_to_wake(Position head) {
  if (least_wanted_ == 0 || head.messages - full_at_ < patience_) return 0;
  if (!has_room(tail_.load(std::memory_order_relaxed), head, least_wanted_)) return 0;
  least_wanted_ = 0;
  if (wanted_ != different) return 1;
  wanted_ = 0;
  return everybody;
}

// Others may sleep still, and there may be room for them.
void SharedRing::wake_next_putter(std::uint32_t units) {
  unsigned wake;
  {
    const std::unique_lock guard = lock_for_get();
    want_room(units);
    wake = putters_to_wake(head_.load(std::memory_order_relaxed));
  }
  if (wake > 0) SharedScope::wake(head_.messages, wake);
}

Result<void> SharedRing::get_now(Accept* accept, void* argument, std::uint32_t& seen_tail) {
  unsigned wake;
  {
    const std::unique_lock guard = lock_for_get();
    // In this order: what was put before the ring was closed is seen.
    const bool closed = closed_.load(std::memory_order_acquire);
    const Position head = head_.load(std::memory_order_relaxed);
    Position tail = seen_tail_.load(std::memory_order_relaxed);
    if (head.messages == tail.messages) {
      tail = tail_.load(std::memory_order_acquire);
      seen_tail_.store(tail, std::memory_order_relaxed);
    }
    seen_tail = tail.messages;
    if (head.messages == tail.messages) return closed ? Errc::closed : Errc::empty;
    const char* const place = at(head.place);
    std::uint32_t length;
    __builtin_memcpy(&length, place, sizeof length);
    const std::size_t units = room_for(length) / unit;
    if (units > units_between(head, tail)) return Errc::state_not_recoverable;
    if (const Result<void> accepted = accept_at(place, length, accept, argument); !accepted) return accepted;
    const Position next = after(head, static_cast<std::uint32_t>(units));
    in_hand_.add_with(next.messages, [&] { head_.store(next, std::memory_order_release); });
    wake = putters_to_wake(next);
  }
  if (wake > 0) SharedScope::wake(head_.messages, wake);
  return {};
}

Result<void> SharedRing::try_get(Accept* accept, void* argument) {
  std::uint32_t seen_tail;
  return get_now(accept, argument, seen_tail);
}

Result<void> SharedRing::get(Accept* accept, void* argument, Deadline deadline) {
  std::uint32_t seen_tail;
  Result<void> got = get_now(accept, argument, seen_tail);
  Waited waited = Waited::changed;
  bool was_woken = false;
  while (got.error() == Errc::empty && !gave_up(waited)) {
    waited = wait_for_message(seen_tail, deadline);
    was_woken |= waited == Waited::woken;
    got = get_now(accept, argument, seen_tail);
  }
  if (was_woken) wake_next_getter();
  return got.error() == Errc::empty ? error_of(waited) : got;
}

Waited SharedRing::wait_for_message(std::uint32_t seen_tail, Deadline deadline) {
  if (watch(tail_.messages, seen_tail)) return Waited::changed;
  {
    const std::lock_guard guard(put_lock_);
    if (tail_.load(std::memory_order_relaxed).messages != seen_tail) return Waited::changed;
    getters_wait_ = true;
  }
  return SharedScope::wait_on(tail_.messages, seen_tail, deadline);
}

// Others may sleep still, and there may be something for them.
void SharedRing::wake_next_getter() {
  bool wake;
  {
    const std::lock_guard guard(put_lock_);
    wake = size() != 0;
    getters_wait_ = !wake;
  }
  if (wake) SharedScope::wake(tail_.messages, 1);
}

// Only who holds the lock takes a message, so one that is being taken now is that of the dead owner.
std::unique_lock<SharedLock> SharedRing::lock_for_get() {
  std::unique_lock guard(get_lock_);
  if (get_lock_.owner_died()) [[unlikely]] {
    const std::uint32_t messages = head_.load(std::memory_order_relaxed).messages;
    in_hand_.mend([&](std::uint32_t note) { return note == messages; });
  }
  return guard;
}

std::uint32_t SharedRing::unfinished() const {
  const std::uint32_t head = head_.load(std::memory_order_relaxed).messages;
  return tail_.load(std::memory_order_acquire).messages - head + in_hand_.total();
}

void SharedRing::announce_if_done() {
  if (unfinished() != 0) return;
  times_done_.fetch_add(1, std::memory_order_seq_cst);
  wake_flagged(times_done_, joiners_wait_, everybody);
}

Result<void> SharedRing::task_done() {
  const std::unique_lock guard = lock_for_get();
  in_hand_.bury_dead();
  if (!in_hand_.remove(true)) return Errc::over_released;
  announce_if_done();
  return {};
}

Result<void> SharedRing::join(Deadline deadline) {
  for (Waited waited = Waited::changed;;) {
    std::uint32_t seen;
    {
      const std::unique_lock guard = lock_for_get();
      in_hand_.bury_dead();
      if (unfinished() == 0) {
        const bool lost = in_hand_.lost() > 0;
        in_hand_.set_lost(0);
        return lost ? Result<void>(Errc::owner_died) : Result<void>();
      }
      seen = times_done_.load(std::memory_order_relaxed);
    }
    if (gave_up(waited)) return error_of(waited);
    waited = wait_flagged(times_done_, seen, joiners_wait_, deadline);
  }
}

void SharedRing::shutdown(bool immediate) {
  {
    const std::lock_guard guard(put_lock_);
    closed_.store(1, std::memory_order_release);
  }
  if (immediate) {
    const std::unique_lock guard = lock_for_get();
    const Position tail = tail_.load(std::memory_order_acquire);
    seen_tail_.store(tail, std::memory_order_relaxed);
    head_.store(tail, std::memory_order_release);
    announce_if_done();
  }
  SharedScope::wake(tail_.messages, everybody);
  SharedScope::wake(head_.messages, everybody);
}

bool SharedRing::leave() {
  if (!in_hand_.has_places_of_this_process()) return true;
  const std::unique_lock guard = lock_for_get();
  in_hand_.leave();
  announce_if_done();
  return !in_hand_.has_places_of_this_process();
}

std::size_t SharedRing::size() const {
  const std::uint32_t head = head_.load(std::memory_order_acquire).messages;
  return tail_.load(std::memory_order_acquire).messages - head;
}

bool SharedRing::full(std::size_t length) const {
  const Position head = head_.load(std::memory_order_acquire);
  return !has_room(tail_.load(std::memory_order_acquire), head, static_cast<std::uint32_t>(room_for(length) / unit));
}

} // namespace rt
