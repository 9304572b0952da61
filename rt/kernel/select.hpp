#pragma once
// select(2): waits for what many descriptors can do, in this thread; for descriptors below 1024 only.

#include <rt/base/result.hpp>
#include <rt/kernel/clock.hpp>

namespace rt::kernel {

/// The kernel's fd_set.
class DescriptorSet {
 public:
  static constexpr int limit = 1024; ///< descriptors from 0 to limit - 1

  constexpr void add(int descriptor) { word(descriptor) |= bit(descriptor); }
  constexpr void remove(int descriptor) { word(descriptor) &= ~bit(descriptor); }
  constexpr bool contains(int descriptor) const {
    return (const_cast<DescriptorSet*>(this)->word(descriptor) & bit(descriptor)) != 0;
  }

 private:
  static constexpr int bits = sizeof(unsigned long) * 8;
  static constexpr unsigned long bit(int descriptor) { return 1ul << (descriptor % bits); }
  constexpr unsigned long& word(int descriptor) { return words_[descriptor / bits]; }

  unsigned long words_[limit / bits] = {};
};

/// pselect6(2) for descriptors below `end`: waits until one is ready or the time is over, leaves in the sets those that
/// are, and returns how many entries are left; 0: none.
/// Errc::interrupted: a signal's handler ran; bad_file_descriptor: one of them is not open. The sets are then
/// undefined.
Result<unsigned> select(int end, DescriptorSet& readable, DescriptorSet& writable, Deadline deadline);

} // namespace rt::kernel
