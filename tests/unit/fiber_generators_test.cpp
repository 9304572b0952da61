// Generators and greenlets that block the fiber in which they are.

#include "sync_test.hpp"

#include <rt/rt.hpp>

#include <vector>

using namespace sync_test;

TEST_CASE("a generator is resumed by whichever fiber has it") {
  rt::Generator<int> numbers([](auto& yield) {
    for (int i = 0; yield(i); ++i) rt::yield();
  });
  CHECK(*numbers.next() == 0);
  int expected = 1;
  for (int i = 0; i < 20; ++i)
    rt::spawn([&] {
      const auto use = [&] { CHECK(*numbers.next() == expected++); };
      use();
      use();
    }).join();
  CHECK(*numbers.next() == expected);
}

TEST_CASE("greenlets of a fiber block it wherever they are") {
  const auto play = [](int rounds) {
    rt::Greenlet& root = rt::Greenlet::current();
    int steps = 0;
    rt::Greenlet other([&] {
      const auto step = [&] {
        rt::sleep_for(10us);
        ++steps;
        rt::yield();
      };
      while (steps < rounds) {
        step();
        root.switch_to();
      }
    });
    while (!other.dead()) {
      other.switch_to();
      rt::yield();
    }
    return steps;
  };
  std::vector<rt::Fiber<int>> fibers;
  for (int i = 1; i <= 20; ++i) fibers.push_back(rt::spawn(play, i));
  for (int i = 1; i <= 20; ++i) CHECK(fibers[static_cast<std::size_t>(i - 1)].join() == i);
}
