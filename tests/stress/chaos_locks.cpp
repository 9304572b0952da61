// Locks and all else that processes wait for in shared memory.

#include "chaos.hpp"

#include <rt/sync/event.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_barrier.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>
#include <rt/sync/shared_condition.hpp>

#include <doctest/doctest.h>

#include <mutex>

namespace stress {
namespace {

using rt::Errc;

constexpr unsigned permits = 4;

struct Locks {
  rt::SharedRLock lock;
  long first = 0, second = 0; // equal when the lock is free

  rt::SharedBoundedSemaphore room{permits};
  rt::SharedSemaphore signals{0};
  rt::SharedEvent event;
  rt::SharedBarrier barrier{2};

  rt::SharedLock monitor;
  rt::SharedCondition condition;
  long tokens = 0;
};

class LocksScene final : public Scene {
 public:
  std::vector<Role> roles() override {
    return {{"hold", [this](Actor& actor) { hold(actor); }}, {"visit", [this](Actor& actor) { visit(actor); }},
            {"meet", [this](Actor& actor) { meet(actor); }}, {"give", [this](Actor& actor) { give(actor); }},
            {"take", [this](Actor& actor) { take(actor); }}, {"signal", [this](Actor& actor) { signal(actor); }}};
  }

  void let_end() override {
    const std::lock_guard guard(all_->monitor);
    all_->tokens += 1000;
    all_->condition.notify_all();
  }

  void check(std::span<const unsigned>) override {
    for (unsigned i = 0; i < permits; ++i) CHECK(all_->room.try_acquire());
    CHECK(!all_->room.try_acquire());
    CHECK(all_->room.release(permits).ok());
    CHECK(all_->lock.try_lock());
    all_->lock.unlock();
    CHECK(all_->monitor.try_lock());
    all_->monitor.unlock();
    all_->barrier.reset();
    CHECK(all_->barrier.n_waiting() == 0);
  }

 private:
  void hold(Actor& actor) {
    while (actor.goes_on()) {
      const bool patient = actor.turn.below(2) == 0;
      const auto taken = patient ? all_->lock.lock() : all_->lock.try_lock_for(actor.turn.timeout());
      if (taken.error() == Errc::timed_out) continue;
      const std::unique_lock guard(all_->lock, std::adopt_lock);
      actor.check(taken.ok() || taken.error() == Errc::owner_died);
      if (!taken) all_->second = all_->first;
      actor.check(all_->first == all_->second);
      ++all_->first;
      actor.turn.delay();
      ++all_->second;
      actor.step();
    }
  }

  void visit(Actor& actor) {
    while (actor.goes_on()) {
      const bool patient = actor.turn.below(2) == 0;
      const auto entered = patient ? all_->room.acquire() : all_->room.try_acquire_for(actor.turn.timeout());
      if (entered.error() == Errc::timed_out) continue;
      actor.check(entered.ok() || entered.error() == Errc::owner_died);
      actor.turn.delay();
      actor.check(all_->room.release().ok());
      actor.step();
    }
  }

  void meet(Actor& actor) {
    while (actor.goes_on()) {
      const auto met = all_->barrier.wait_for(1s);
      if (met)
        actor.check(*met < 2);
      else
        all_->barrier.reset();
      actor.turn.delay();
      actor.step();
    }
  }

  void give(Actor& actor) {
    while (actor.goes_on()) {
      {
        const std::lock_guard guard(all_->monitor);
        ++all_->tokens;
        all_->condition.notify_one();
      }
      actor.turn.delay();
      actor.step();
    }
  }

  void take(Actor& actor) {
    while (actor.goes_on()) {
      std::unique_lock guard(all_->monitor);
      all_->condition.wait(guard, [&] { return all_->tokens > 0; });
      --all_->tokens;
      actor.step();
    }
  }

  void signal(Actor& actor) {
    while (actor.goes_on()) {
      if (actor.turn.below(2) == 0) {
        all_->signals.release();
        all_->event.set();
      } else {
        (void)all_->signals.try_acquire_for(actor.turn.timeout());
        (void)all_->event.wait_for(actor.turn.timeout());
        all_->event.clear();
      }
      actor.step();
    }
  }

  rt::Shared<Locks> all_;
};

} // namespace

std::unique_ptr<Scene> make_locks_scene() { return std::make_unique<LocksScene>(); }

} // namespace stress
