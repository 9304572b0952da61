// Clients of a manager that are killed at random moments, and servers whose owner is.

#include "check.hpp"

#include <rt/rt.hpp>

#include <memory>
#include <vector>

using namespace std::chrono_literals;
using rt::Errc, rt::Value;

namespace {

constexpr auto limit = 20s; // for what is to happen at once

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  unsigned roll(unsigned sides) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state_ >> 33) % sides;
  }

 private:
  std::uint64_t state_;
};

struct Objects {
  rt::Manager& manager;
  rt::LockProxy lock = manager.lock().value();
  rt::RLockProxy rlock = manager.rlock().value();
  rt::ConditionProxy condition = manager.condition().value();
  rt::SemaphoreProxy semaphore = manager.semaphore(2).value();
  rt::BoundedSemaphoreProxy bounded = manager.bounded_semaphore(2).value();
  rt::QueueProxy queue = manager.queue(3).value();
  rt::DictProxy dict = manager.dict().value();
};

/// Uses one object after the other, until the process is killed.
[[noreturn]] void work(const Objects& all, Dice dice) {
  const auto with = [&](const auto& lock) {
    if (!lock.try_acquire_for(5ms)) return;
    all.dict.add("uses", 1).value();
    lock.release().value();
  };
  for (;;) {
    switch (dice.roll(7)) {
    case 0: with(all.lock); break;
    case 1:
      if (!all.rlock.try_acquire_for(5ms)) break;
      with(all.rlock);
      all.rlock.release().value();
      break;
    case 2:
      if (!all.condition.try_acquire_for(5ms)) break;
      if (dice.roll(2) == 0) (void)all.condition.wait_for(2ms);
      all.condition.notify_all().value();
      all.condition.release().value();
      break;
    case 3: with(all.semaphore); break;
    case 4: with(all.bounded); break;
    case 5: (void)all.queue.put_for(Value(1), 2ms); break;
    case 6: (void)all.queue.get_for(2ms); break;
    }
  }
}

template <class C> bool becomes(C condition) {
  const auto end = rt::Clock::now() + limit;
  while (!condition()) {
    if (rt::Clock::now() > end) return false;
    rt::sleep_for(1ms);
  }
  return true;
}

} // namespace

RT_CASE("clients that are killed at random moments leave every object usable") {
  rt::Manager manager;
  manager.start().value();
  const Objects all{manager};
  Dice dice(1);
  std::vector<std::unique_ptr<rt::Process>> workers(4);
  for (int kills = 0; kills < 50; ++kills) {
    auto& worker = workers[dice.roll(4)];
    if (worker) {
      worker->kill().value();
      worker->join();
      CHECK(worker->exit_code() == -9);
    }
    worker = std::make_unique<rt::Process>([&] { work(all, dice); });
    worker->start().value();
    rt::sleep_for(std::chrono::milliseconds(dice.roll(8)));
  }
  CHECK(becomes([&] { return all.dict.get("uses", 0).value().integer() > 50; }));
  for (auto& worker : workers) {
    if (!worker) continue;
    worker->kill().value();
    worker->join();
  }
  CHECK(all.lock.try_acquire_for(limit).ok());
  CHECK(all.rlock.try_acquire_for(limit).ok());
  CHECK(all.condition.try_acquire_for(limit).ok());
  CHECK(becomes([&] { return all.semaphore.value().value() == 2 && all.bounded.value().value() == 2; }));
  while (all.queue.try_get()) {
  }
  for (int i = 0; i < 3; ++i) CHECK(all.queue.try_put(i).ok());
  CHECK(all.queue.try_put(4).error() == Errc::full);
}

RT_CASE("a server ends with the process that has started it, also when that is killed") {
  auto [here, there] = rt::make_pipe();
  rt::Process owner([&there = there] {
    rt::Manager manager({rt::Address::loopback(0), "key"});
    manager.start().value();
    char text[64];
    rt::Output out(text);
    rt::format_to(out, "{}", manager.address());
    there.send(out.text()).value();
    for (;;) rt::sleep_for(1s);
  });
  owner.start().value();
  const auto address = rt::Address::parse(here.recv().value().text()).value();
  const auto manager = rt::Manager::connect(address, "key").value();
  const auto event = manager.event().value();
  auto waiter = rt::spawn([event] { return event.wait(); });
  rt::sleep_for(5ms);
  owner.kill().value();
  owner.join();
  CHECK(waiter.join().error() == Errc::server_lost);
  CHECK(becomes([&] { return rt::Manager::connect(address, "key").error() == Errc::connection_refused; }));
}
