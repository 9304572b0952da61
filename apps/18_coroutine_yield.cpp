// Coroutines by yield and send: a function that stops in the middle, is given something there, and goes on.
//
// A cook feeds two guests. Each guest is a generator: it runs until it wants a bun, stops in its yield, and gets the
// next bun as what yield returns; what it hands out is how many it has eaten. All three take turns in one thread,
// without a queue, a lock, or a thread's stack.

#include "options.hpp"

#include <rt/context/generator.hpp>

using namespace std::chrono_literals;

namespace {

constexpr int rounds = 5;

using Guest = rt::Generator<int, int>; // hands out how many buns it has eaten, is sent the number of the next

Guest make_guest(std::string_view name) {
  return Guest([name](auto& yield) {
    rt::println("{}: is hungry", name);
    int eaten = 0;
    while (const auto bun = yield(eaten)) {
      rt::println("{}: eats bun {}", name, *bun);
      ++eaten;
    }
    rt::println("{}: goes home, with {} buns eaten", name, eaten);
  });
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Coroutines by yield and send: a cook feeds two guests that stop at each bun.");
  if (const auto status = options.finish()) return *status;
  {
    Guest ann = make_guest("Ann"), bob = make_guest("Bob");
    rt::println("Cook: opens"); // a generator does not begin before its first next()
    ann.next();
    bob.next();
    for (int bun = 1; bun <= 2 * rounds; bun += 2) {
      apps::pause(1s);
      rt::println("Cook: bakes buns {} and {}", bun, bun + 1);
      const auto by_ann = ann.send(bun), by_bob = bob.send(bun + 1);
      rt::println("Cook: Ann has had {}, Bob {}", *by_ann, *by_bob);
    }
    rt::println("Cook: closes");
  } // the guests' last yield is told that there is nothing more
  rt::println("end");
  return 0;
}
