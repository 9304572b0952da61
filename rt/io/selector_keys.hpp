#pragma once
// The keys of a selector: in an array, and to be found by their descriptors.

#include <rt/io/selector_key.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rt::selecting {

class SelectorKeys {
 public:
  static constexpr std::size_t nowhere = ~std::size_t{0};

  std::span<const SelectorKey> all() const { return keys_; }
  std::size_t size() const { return keys_.size(); }
  SelectorKey& operator[](std::size_t place) { return keys_[place]; }

  /// Where the key of the descriptor is in the array.
  std::size_t place_of(int fd) const {
    return fd >= 0 && static_cast<std::size_t>(fd) < places_.size() ? places_[static_cast<std::size_t>(fd)] : nowhere;
  }

  /// Puts the key of a descriptor that has none yet at the array's end.
  void add(SelectorKey key);
  /// Takes a key out. The last one moves to its place.
  SelectorKey take(std::size_t place);
  void clear();

 private:
  std::vector<SelectorKey> keys_;
  std::vector<std::size_t> places_; // by descriptor
};

} // namespace rt::selecting
