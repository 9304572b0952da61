// Producer and consumer: the queue between them lets each work at a pace of its own.
//
// A baker makes ten buns; a guest comes now and then, takes one, or hears that there is nothing left. The guest stops
// when ten are eaten and there is nothing left.

#include "options.hpp"

#include <rt/sync/queue.hpp>
#include <rt/thread/thread.hpp>

using namespace std::chrono_literals;

namespace {

constexpr int buns = 10;

/// Small numbers that look random (a linear congruential generator: D. E. Knuth's MMIX).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  /// From 0 to sides - 1.
  int roll(int sides) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>((state_ >> 33) % static_cast<unsigned>(sides));
  }

 private:
  std::uint64_t state_;
};

void bake(rt::Queue<int>& counter) {
  Dice dice(1);
  for (int bun = 1; bun <= buns; ++bun) {
    apps::pause(dice.roll(3) * 300ms);
    rt::println("Baker: here is bun {}", bun);
    counter.put(bun).value();
  }
  rt::println("Baker: that was the last one");
}

void eat(rt::Queue<int>& counter) {
  Dice dice(2);
  for (int eaten = 0;;) {
    if (const auto bun = counter.try_get()) {
      ++eaten;
      rt::println("Guest: eats bun {}", *bun);
    } else {
      rt::println("Guest: nothing left");
      if (eaten == buns) return;
    }
    apps::pause(dice.roll(4) * 200ms);
  }
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Producer and consumer: one makes ten, one takes them, a queue is between.");
  if (const auto status = options.finish()) return *status;

  rt::Queue<int> counter;
  rt::Thread baker([&] { bake(counter); }), guest([&] { eat(counter); });
  baker.start().value();
  guest.start().value();
  baker.join();
  guest.join();
  rt::println("end");
  return 0;
}
