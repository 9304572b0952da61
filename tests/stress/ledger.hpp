#pragma once
// A ledger of items that processes put into a queue and get from it: none may be got twice, and none may be lost but
// with those that were killed.

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace stress {

class Ledger {
 public:
  static constexpr std::uint32_t most_producers = 1 << 17, items_each = 64;

  /// For a producer of up to items_each items, which has the number that this returns; most_producers: there were too
  /// many.
  std::uint32_t begin() { return std::min(producers_++, most_producers); }

  /// put() has returned for the producer's first items, so many of them.
  void note_put(std::uint32_t producer, std::uint32_t items) { put_[producer] = items; }

  /// False: there is no such item, or it was got already.
  bool note_got(std::uint32_t producer, std::uint32_t item) {
    if (producer >= most_producers || item >= items_each) return false;
    const std::uint64_t bit = std::uint64_t{1} << item;
    return !(got_[producer].fetch_or(bit) & bit);
  }

  struct Sums {
    unsigned put = 0, lost = 0; // puts that have returned; those of them whose items nobody has got
  };
  Sums sums() const {
    Sums sums;
    for (std::uint32_t producer = 0; producer < std::min(producers_.load(), most_producers); ++producer)
      for (std::uint32_t item = 0; item < put_[producer]; ++item, ++sums.put)
        sums.lost += !(got_[producer] >> item & 1);
    return sums;
  }

 private:
  std::atomic<std::uint32_t> producers_ = 0;
  std::atomic<std::uint32_t> put_[most_producers] = {};
  std::atomic<std::uint64_t> got_[most_producers] = {}; // a bit for each item
};

} // namespace stress
