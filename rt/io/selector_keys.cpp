#include <rt/io/selector_keys.hpp>

namespace rt::selecting {

void SelectorKeys::add(SelectorKey key) {
  const auto fd = static_cast<std::size_t>(key.fd);
  if (fd >= places_.size()) places_.resize(fd + 1, nowhere);
  places_[fd] = keys_.size();
  keys_.push_back(std::move(key));
}

SelectorKey SelectorKeys::take(std::size_t place) {
  SelectorKey taken = std::move(keys_[place]);
  if (place + 1 < keys_.size()) {
    keys_[place] = std::move(keys_.back());
    places_[static_cast<std::size_t>(keys_[place].fd)] = place;
  }
  keys_.pop_back();
  places_[static_cast<std::size_t>(taken.fd)] = nowhere;
  return taken;
}

void SelectorKeys::clear() {
  keys_.clear();
  places_.clear();
}

} // namespace rt::selecting
