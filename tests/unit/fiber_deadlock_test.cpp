// Dead locks among fibers, of one hub and of several.

#include "sync_test.hpp"

#include <rt/rt.hpp>

#include <algorithm>
#include <atomic>
#include <span>
#include <string>
#include <vector>

using namespace sync_test;

namespace {

std::atomic<int> reports;
std::vector<rt::DeadlockMember> last_cycle;
rt::Lock held[3];

// Whoever finds the cycle gives away what it holds.
void give_way(std::span<const rt::DeadlockMember> cycle) {
  ++reports;
  last_cycle.assign(cycle.begin(), cycle.end());
  for (auto& lock : held)
    if (lock.held()) lock.unlock();
}

void take_two(rt::Lock& first, rt::Lock& second, rt::Barrier& all) {
  first.lock();
  CHECK(all.wait_for(limit));
  second.lock();
  second.unlock();
  if (first.held()) first.unlock();
}

} // namespace

TEST_CASE("fibers that wait for each other's locks are found, in one hub and across two") {
  reports = 0;
  rt::on_deadlock(give_way);
  rt::Barrier all(3);
  std::vector<std::string> names;
  SUBCASE("one hub") {
    std::vector<rt::Fiber<void>> fibers;
    for (std::size_t i = 0; i < 3; ++i)
      fibers.push_back(rt::spawn(rt::FiberOptions{.name = "f" + std::to_string(i)},
                                 [&, i] { take_two(held[i], held[(i + 1) % 3], all); }));
    CHECK(rt::joinall(fibers, limit));
  }
  SUBCASE("two hubs and a thread without") {
    const auto in_fiber = [&](std::size_t i) {
      return [&, i] {
        rt::spawn(rt::FiberOptions{.name = "f" + std::to_string(i)}, [&] {
          take_two(held[i], held[(i + 1) % 3], all);
        }).join();
      };
    };
    Running one(in_fiber(0)), two(in_fiber(1));
    Running three(rt::ThreadOptions{.name = "f2"}, [&] { take_two(held[2], held[0], all); });
  }
  rt::on_deadlock(nullptr);
  CHECK(reports >= 1);
  REQUIRE(last_cycle.size() == 3);
  for (const auto& member : last_cycle) names.push_back(member.name.data());
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"f0", "f1", "f2"});
  for (auto& lock : held) CHECK(!lock.locked());
}
