#include <rt/process/shared_ring.hpp>

#include <rt/base/panic.hpp>

#include <algorithm>
#include <bit>
#include <mutex>
#include <new>
#include <utility>

namespace rt {
namespace {

constexpr std::uint64_t magic = 0x676e6972'64657274; // "trdering" in memory

// Where the calling thread has its place in the ring that it used last: only a hint.
struct LastPlace {
  const SharedRing* ring;
  unsigned index;
};
thread_local constinit LastPlace last_place = {nullptr, 0};

void in_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

} // namespace

std::size_t SharedRing::rounded(std::size_t capacity) {
  if (capacity > most_capacity) panic("a shared queue for {} bytes: {} are the most", capacity, most_capacity);
  return std::bit_ceil(std::max(capacity, std::size_t{64}));
}

SharedRing::SharedRing(std::size_t capacity, std::size_t most_messages)
    : magic_(magic), capacity_units_(static_cast<std::uint32_t>(rounded(capacity) / unit)),
      most_messages_(most_messages == 0 ? capacity_units_
                                        : static_cast<std::uint32_t>(std::min<std::size_t>(most_messages, 1u << 31))) {}

SharedRing* SharedRing::in(void* memory, std::size_t size) {
  auto* const ring = std::launder(static_cast<SharedRing*>(memory));
  const bool whole = size >= sizeof(SharedRing) && ring->magic_ == magic &&
                     size == sizeof(SharedRing) + std::size_t{ring->capacity_units_} * unit;
  return whole ? ring : nullptr;
}

void SharedRing::write(std::uint32_t at, std::uint32_t length, Bytes message) {
  const std::size_t capacity = std::size_t{capacity_units_} * unit;
  char* const place = bytes() + std::size_t{at & (capacity_units_ - 1)} * unit;
  __builtin_memcpy(place, &length, sizeof length);
  const std::size_t before_end = static_cast<std::size_t>(bytes() + capacity - (place + sizeof length));
  const std::size_t first = std::min(message.size(), before_end);
  if (first > 0) __builtin_memcpy(place + sizeof length, message.data(), first);
  if (first < message.size()) __builtin_memcpy(bytes(), message.data() + first, message.size() - first);
}

Result<void> SharedRing::accept_at(std::uint32_t at, std::uint32_t length, Accept* accept, void* argument) {
  const std::size_t capacity = std::size_t{capacity_units_} * unit;
  const char* const begin = bytes() + std::size_t{at & (capacity_units_ - 1)} * unit + sizeof length;
  const std::size_t first = std::min<std::size_t>(length, static_cast<std::size_t>(bytes() + capacity - begin));
  return accept(argument, {reinterpret_cast<const std::byte*>(begin), first},
                {reinterpret_cast<const std::byte*>(bytes()), length - first});
}

// The new tail is told to those who wait for it when the lock is free again.
Errc SharedRing::put_now(Bytes message, std::uint32_t& seen_head) {
  const std::size_t room = room_for(message.size());
  if (message.size() > most_capacity || room > std::size_t{capacity_units_} * unit) return Errc::message_size;
  const auto units = static_cast<std::uint32_t>(room / unit);
  {
    const std::lock_guard guard(put_lock_);
    if (closed_.load(std::memory_order_relaxed)) return Errc::closed;
    const Position tail = tail_.load(std::memory_order_relaxed);
    if (!has_room(tail, seen_head_, units)) seen_head_ = head_.load(std::memory_order_acquire);
    seen_head = seen_head_.units;
    if (!has_room(tail, seen_head_, units)) return Errc::full;
    write(tail.units, static_cast<std::uint32_t>(message.size()), message);
    tail_.both.store(Position{tail.units + units, tail.messages + 1}.word(), std::memory_order_seq_cst);
  }
  wake(tail_.units, getters_wait_, 1);
  return Errc::none;
}

Result<void> SharedRing::try_put(Bytes message) {
  std::uint32_t seen_head;
  return put_now(message, seen_head);
}

Result<void> SharedRing::put(Bytes message, Deadline deadline) {
  for (Waited waited = Waited::changed;;) {
    std::uint32_t seen_head;
    const Errc error = put_now(message, seen_head);
    if (error != Errc::full) return error;
    if (gave_up(waited)) return error_of(waited);
    waited = wait(head_.units, seen_head, putters_wait_, deadline);
  }
}

Result<void> SharedRing::get_now(Accept* accept, void* argument, std::uint32_t& seen_tail) {
  {
    const std::unique_lock guard = lock_for_get();
    // In this order: what was put before the ring was closed is seen.
    const bool closed = closed_.load(std::memory_order_acquire);
    const Position head = head_.load(std::memory_order_relaxed);
    if (head == seen_tail_) seen_tail_ = tail_.load(std::memory_order_acquire);
    seen_tail = seen_tail_.units;
    if (head == seen_tail_) return closed ? Errc::closed : Errc::empty;
    std::uint32_t length;
    __builtin_memcpy(&length, bytes() + std::size_t{head.units & (capacity_units_ - 1)} * unit, sizeof length);
    const std::size_t room = room_for(length);
    if (room > std::size_t{seen_tail_.units - head.units} * unit) return Errc::state_not_recoverable;
    if (const Result<void> accepted = accept_at(head.units, length, accept, argument); !accepted) return accepted;
    take({head.units + static_cast<std::uint32_t>(room / unit), head.messages + 1});
  }
  // Messages differ in length: who was first to wait for room may need more than there is.
  wake(head_.units, putters_wait_, everybody);
  return {};
}

Result<void> SharedRing::try_get(Accept* accept, void* argument) {
  std::uint32_t seen_tail;
  return get_now(accept, argument, seen_tail);
}

Result<void> SharedRing::get(Accept* accept, void* argument, Deadline deadline) {
  std::uint32_t seen_tail;
  Result<void> got = get_now(accept, argument, seen_tail);
  if (got.error() != Errc::empty) return got;
  Waited waited;
  do {
    waited = wait(tail_.units, seen_tail, getters_wait_, deadline);
    got = get_now(accept, argument, seen_tail);
  } while (got.error() == Errc::empty && !gave_up(waited));
  // Others may sleep still, and there may be something for them.
  getters_wait_.store(1, std::memory_order_seq_cst);
  if (tail_.load(std::memory_order_seq_cst) != head_.load(std::memory_order_relaxed))
    wake(tail_.units, getters_wait_, 1);
  return got.error() == Errc::empty ? error_of(waited) : got;
}

// Takes the message before the new head, in two steps: it leaves the ring, and it is in the hands of this thread.
void SharedRing::take(Position new_head) {
  Place* const place = own_place();
  const std::uint32_t in_hand = place ? place->in_hand() : in_hand_without_place_;
  if (place) place->state.store(std::uint64_t{new_head.messages} << 32 | in_hand * 2 | 1, std::memory_order_relaxed);
  in_order();
  head_.both.store(new_head.word(), std::memory_order_seq_cst);
  in_order();
  if (place)
    place->set_in_hand(in_hand + 1);
  else
    in_hand_without_place_ = in_hand + 1;
}

std::unique_lock<SharedLock> SharedRing::lock_for_get() {
  std::unique_lock guard(get_lock_);
  if (get_lock_.owner_died()) [[unlikely]]
    mend();
  return guard;
}

// Only who holds the lock takes a message, so a place that says so now is that of the dead owner.
void SharedRing::mend() {
  const std::uint32_t messages = head_.load(std::memory_order_relaxed).messages;
  for (Place& place : places()) {
    const std::uint64_t state = place.state.load(std::memory_order_relaxed);
    if (state & 1) place.set_in_hand(place.in_hand() + (messages == state >> 32 ? 1 : 0));
  }
}

void SharedRing::bury_dead() {
  for (Place& place : places()) {
    if (!place.thread.owner_is_dead()) continue;
    if (place.in_hand() > 0) lost_ = true;
    place.set_in_hand(0);
    place.thread.bury();
  }
}

SharedRing::Place* SharedRing::own_place() {
  if (last_place.ring == this && last_place.index < places_used_ &&
      places_[last_place.index].thread.owned_by_this_thread()) [[likely]]
    return &places_[last_place.index];
  Place* found = nullptr;
  for (Place& place : places())
    if (place.thread.owned_by_this_thread()) found = &place;
  if (!found) {
    bury_dead();
    for (Place& place : places())
      if (!place.thread.has_owner()) found = &place;
    if (!found && places_used_ < most_places) found = &places_[places_used_++];
    if (!found) return nullptr;
    found->set_in_hand(0);
    found->thread.take();
  }
  last_place = {this, static_cast<unsigned>(found - places_)};
  return found;
}

std::uint32_t SharedRing::unfinished() {
  std::uint32_t sum = tail_.load(std::memory_order_acquire).messages - head_.load(std::memory_order_relaxed).messages +
                      in_hand_without_place_;
  for (const Place& place : places()) sum += place.in_hand();
  return sum;
}

void SharedRing::announce_if_done() {
  if (unfinished() != 0) return;
  times_done_.fetch_add(1, std::memory_order_seq_cst);
  wake(times_done_, joiners_wait_, everybody);
}

// A message may have gone to another thread, of the same process or, encoded in another message, of any.
Result<void> SharedRing::task_done() {
  const std::unique_lock guard = lock_for_get();
  bury_dead();
  Place* found = nullptr;
  for (Place& place : places()) {
    if (place.in_hand() == 0) continue;
    const auto nearness = [](const Place& each) {
      return each.thread.owned_by_this_thread() ? 2 : each.thread.process() == kernel::process_identity() ? 1 : 0;
    };
    if (!found || nearness(place) > nearness(*found)) found = &place;
  }
  if (found)
    found->set_in_hand(found->in_hand() - 1);
  else if (in_hand_without_place_ > 0)
    --in_hand_without_place_;
  else
    return Errc::over_released;
  announce_if_done();
  return {};
}

Result<void> SharedRing::join(Deadline deadline) {
  for (Waited waited = Waited::changed;;) {
    std::uint32_t seen;
    {
      const std::unique_lock guard = lock_for_get();
      bury_dead();
      if (unfinished() == 0) return std::exchange(lost_, false) ? Result<void>(Errc::owner_died) : Result<void>();
      seen = times_done_.load(std::memory_order_relaxed);
    }
    if (gave_up(waited)) return error_of(waited);
    waited = wait(times_done_, seen, joiners_wait_, deadline);
  }
}

void SharedRing::shutdown(bool immediate) {
  {
    const std::lock_guard guard(put_lock_);
    closed_.store(1, std::memory_order_release);
  }
  if (immediate) {
    const std::unique_lock guard = lock_for_get();
    seen_tail_ = tail_.load(std::memory_order_acquire);
    head_.both.store(seen_tail_.word(), std::memory_order_seq_cst);
    announce_if_done();
  }
  SharedScope::wake(tail_.units, everybody);
  SharedScope::wake(head_.units, everybody);
}

bool SharedRing::leave() {
  const std::uint64_t process = kernel::process_identity();
  const auto is_ours = [&](const Place& place) {
    return place.thread.has_owner() && place.thread.process() == process;
  };
  bool ours = false;
  for (const Place& place : places_) ours |= is_ours(place);
  if (!ours) return true;
  const std::unique_lock guard = lock_for_get();
  bool others = false;
  for (Place& place : places()) {
    if (!is_ours(place)) continue;
    if (!place.thread.owned_by_this_thread()) {
      others = true;
      continue;
    }
    if (place.in_hand() > 0) lost_ = true;
    place.set_in_hand(0);
    place.thread.give_back();
  }
  announce_if_done();
  return !others;
}

std::size_t SharedRing::size() const {
  const std::uint32_t head = head_.load(std::memory_order_acquire).messages;
  return tail_.load(std::memory_order_acquire).messages - head;
}

bool SharedRing::full(std::size_t length) const {
  const Position head = head_.load(std::memory_order_acquire);
  return !has_room(tail_.load(std::memory_order_acquire), head, static_cast<std::uint32_t>(room_for(length) / unit));
}

Waited SharedRing::wait(const Word& word, std::uint32_t seen, Word& flag, Deadline deadline) {
  if (watch(word, seen)) return Waited::changed;
  flag.exchange(1, std::memory_order_seq_cst);
  if (word.load(std::memory_order_seq_cst) != seen) return Waited::changed;
  return SharedScope::wait_on(word, seen, deadline);
}

void SharedRing::wake(const Word& word, Word& flag, unsigned count) {
  if (!flag.load(std::memory_order_seq_cst)) [[likely]]
    return;
  flag.store(0, std::memory_order_seq_cst);
  SharedScope::wake(word, count);
}

} // namespace rt
