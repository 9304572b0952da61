#include <rt/sync/holdings.hpp>

namespace rt {
namespace {

// Where the calling thread has its place in the table that it used last: only a hint.
struct LastPlace {
  const Holdings* table;
  std::uint32_t index;
};
thread_local constinit LastPlace last_place = {nullptr, 0};

} // namespace

Holdings::Place* Holdings::own_place() {
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  if (last_place.table == this && last_place.index < used && places_[last_place.index].thread.owned_by_this_thread())
    return &places_[last_place.index];
  bury_dead();
  Place *own = nullptr, *left = nullptr, *free = nullptr;
  for (Place& place : places()) {
    if (place.thread.owned_by_this_thread())
      own = &place;
    else if (place.thread.owner_is_dead())
      left = place.thread.process() == kernel::process_identity() ? &place : left;
    else if (!place.thread.has_owner())
      free = &place;
  }
  Place* found = own ? own : left ? left : free;
  if (!found && used < most_places) {
    found = &places_[used];
    used_.store(used + 1, std::memory_order_relaxed);
  }
  if (!found) return nullptr;
  if (!own) found->thread.take();
  last_place = {this, static_cast<std::uint32_t>(found - places_)};
  return found;
}

bool Holdings::remove(bool keep) {
  Place* found = nullptr;
  const auto nearness = [](const Place& place) {
    return place.thread.owned_by_this_thread() ? 2 : place.thread.process() == kernel::process_identity() ? 1 : 0;
  };
  for (Place& place : places())
    if (place.count() > 0 && (!found || nearness(place) > nearness(*found))) found = &place;
  if (found) {
    const std::uint32_t left = found->count() - 1;
    found->set(left);
    if (!keep && left == 0 && found->thread.owned_by_this_thread()) found->thread.give_back();
    return true;
  }
  const std::uint32_t others = without_place_.load(std::memory_order_relaxed);
  if (others > 0) without_place_.store(others - 1, std::memory_order_relaxed);
  return others > 0;
}

bool Holdings::process_is_gone(const Place& dead) const {
  const std::uint64_t process = dead.thread.process();
  if (process == kernel::process_identity()) return false;
  for (const Place& place : places())
    if (place.thread.has_owner() && place.thread.process() == process) return false;
  return true;
}

void Holdings::bury_dead() {
  for (Place& place : places()) {
    if (!place.thread.owner_is_dead() || (place.count() > 0 && !process_is_gone(place))) continue;
    lost_ += place.count();
    place.set(0);
    place.thread.bury();
  }
}

std::uint32_t Holdings::total() const {
  std::uint32_t sum = without_place_.load(std::memory_order_relaxed);
  for (const Place& place : places()) {
    const std::uint32_t count = place.count();
    if (count > 0 && !(place.thread.owner_is_dead() && process_is_gone(place))) sum += count;
  }
  return sum;
}

void Holdings::leave() {
  for (Place& place : places()) {
    if (!place.thread.owned_by_this_thread()) continue;
    lost_ += place.count();
    place.set(0);
    place.thread.give_back();
  }
}

bool Holdings::has_places_of_this_process() const {
  for (const Place& place : places())
    if (place.thread.has_owner() && place.thread.process() == kernel::process_identity()) return true;
  return false;
}

} // namespace rt
