// Greenlet: functions that switch to each other by name, each at any place in its own code.
//
// A and B pass a ball: what one gives to switch_to is what the other's switch_to returns. Neither calls the other, and
// neither is above the other; both are children of main's greenlet, which goes on when one of them has come to its end.

#include "options.hpp"

#include <rt/context/greenlet.hpp>

using namespace std::chrono_literals;

namespace {

constexpr int last_throw = 10;

struct Ball {
  int throws = 0;
};

void play(char name, Ball* ball, rt::Greenlet*& other) {
  while (ball && ball->throws < last_throw) {
    rt::println("{}: throw {}", name, ++ball->throws);
    apps::pause(500ms);
    ball = static_cast<Ball*>(other->switch_to(ball));
  }
  rt::println("{}: {}", name, ball ? "that was the last one, the game is over" : "nobody throws any more");
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Greenlets: two functions switch to each other by name and take turns.");
  if (const auto status = options.finish()) return *status;

  rt::Greenlet *to_a = nullptr, *to_b = nullptr;
  rt::Greenlet a([&](void* ball) { play('A', static_cast<Ball*>(ball), to_b); });
  rt::Greenlet b([&](void* ball) { play('B', static_cast<Ball*>(ball), to_a); });
  to_a = &a;
  to_b = &b;

  Ball ball;
  rt::println("main: throws the ball to A");
  a.switch_to(&ball); // comes back when one of them has ended
  rt::println("main: A is {}, B is {}", a.dead() ? "dead" : "stopped", b.dead() ? "dead" : "stopped");
  b.kill(); // its switch_to returns nullptr, so that it can come to its end
  rt::println("main: A is {}, B is {}", a.dead() ? "dead" : "stopped", b.dead() ? "dead" : "stopped");
  rt::println("end");
  return 0;
}
