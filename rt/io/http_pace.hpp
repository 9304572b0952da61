#pragma once
// Pace: how long the other side of a connection may take for what it sends or takes. There is a stock of time, which
// waiting uses up and what moves fills up again: nobody can stand still for longer than the stock, and whoever trickles
// gets for each byte what the least rate gives, and not a new limit.

#include <rt/hub/readiness.hpp>
#include <rt/kernel/clock.hpp>

#include <algorithm>
#include <cstdint>

namespace rt::http {

class Pace {
 public:
  /// stall: the stock; rate: bytes per second, 1 at least.
  Pace(std::chrono::nanoseconds stall, std::uint32_t rate) : stall_(stall.count()), left_(stall_), rate_(rate) {}

  void moved(std::size_t bytes) {
    const std::uint64_t gain = std::min<std::uint64_t>(bytes, most) * second / rate_;
    left_ = static_cast<std::int64_t>(
        std::min(static_cast<std::uint64_t>(left_) + gain, static_cast<std::uint64_t>(stall_)));
  }

  /// Waits for the connection to be ready. timed_out: the stock is used up.
  Result<void> wait(int descriptor, Ready event) {
    const std::int64_t begin = now();
    const Result<Ready> ready = wait_until_ready(descriptor, event, Deadline::at(begin + left_));
    left_ = std::max<std::int64_t>(left_ - (now() - begin), 0);
    if (!ready) return ready.error();
    return {};
  }

 private:
  static constexpr std::uint64_t second = 1'000'000'000, most = 1 << 30;
  static std::int64_t now() { return Clock::now().time_since_epoch().count(); }

  const std::int64_t stall_;
  std::int64_t left_;
  const std::uint64_t rate_;
};

} // namespace rt::http
