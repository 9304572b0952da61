#pragma once
// The frames of a function that a signal has interrupted: it has called nobody, so records made here lead to it and on
// to its callers.

#include <rt/base/panic.hpp>

#include <arch/registers.hpp>

namespace rt {

class InterruptedFrames {
 public:
  explicit InterruptedFrames(const arch::SignalFrame& frame) {
    const auto* caller = reinterpret_cast<const void*>(arch::frame_pointer(frame));
    records_[0] = {caller, arch::program_counter(frame) + 1};
    const arch::Frame* record = arch::frame_record(caller);
    if (panicking::readable(record) && arch::return_address_in_register(*record)) {
      records_[0].caller = arch::frame_pointer_to(&records_[1]);
      records_[1] = arch::caller_of_leaf(frame, *record);
    }
  }
  InterruptedFrames(const InterruptedFrames&) = delete;

  /// For write_backtrace.
  const void* frame_pointer() const { return arch::frame_pointer_to(&records_[0]); }

 private:
  arch::Frame records_[2] = {};
};

} // namespace rt
