#pragma once
// Pace: how long the other side of a connection may take for what it sends or takes. Time runs while the connection is
// waited for: whoever trickles gets what time the least rate gives, and not a new limit for each byte.

#include <rt/hub/readiness.hpp>
#include <rt/kernel/clock.hpp>

#include <cstdint>

namespace rt::http {

class Pace {
 public:
  /// stall: time that it may take without having moved a byte; rate: bytes per second, 1 at least.
  Pace(std::chrono::nanoseconds stall, std::uint32_t rate) : stall_(stall.count()), rate_(rate) {}

  void moved(std::size_t bytes) { moved_ += bytes; }

  /// Waits for the connection to be ready. timed_out: it has been waited for longer than what has moved allows.
  Result<void> wait(int descriptor, Ready event) {
    const std::int64_t earned = static_cast<std::int64_t>(moved_ / rate_ * second + moved_ % rate_ * second / rate_);
    const std::int64_t begin = now();
    const Result<Ready> ready = wait_until_ready(descriptor, event, Deadline::at(begin + stall_ + earned - waited_));
    waited_ += now() - begin;
    if (!ready) return ready.error();
    return {};
  }

 private:
  static constexpr std::uint64_t second = 1'000'000'000;
  static std::int64_t now() { return Clock::now().time_since_epoch().count(); }

  const std::int64_t stall_;
  const std::uint64_t rate_;
  std::uint64_t moved_ = 0;
  std::int64_t waited_ = 0;
};

} // namespace rt::http
