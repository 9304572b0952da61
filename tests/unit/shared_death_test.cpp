// What the death of a process leaves to the others.

#include "sync_test.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_barrier.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>
#include <rt/sync/shared_condition.hpp>

#include <csignal>
#include <mutex>

using namespace sync_test;
using rt::Errc;

namespace {

/// Runs in a child until it is killed.
class Victim {
 public:
  template <class F>
  explicit Victim(F function)
      : child_([function] {
          function();
          return pause(), false;
        }) {}
  void kill() {
    ::kill(child_.pid(), SIGKILL);
    CHECK(WIFSIGNALED(child_.end().status));
  }

 private:
  Child child_;
};

template <class L> struct Held {
  L lock;
  std::atomic<int> step = 0;
};

} // namespace

TEST_CASE_TEMPLATE("a lock whose owner was killed goes to the next, who is told", L, rt::SharedLock, rt::SharedRLock) {
  Mapped<Held<L>> held;
  Victim victim([&] {
    held->lock.lock();
    held->step = 1;
  });
  CHECK(becomes([&] { return held->step == 1; }));
  CHECK(held->lock.locked());
  CHECK(!held->lock.try_lock());
  CHECK(held->lock.try_lock_for(1ms).error() == Errc::timed_out);
  victim.kill();
  CHECK(!held->lock.locked());
  SUBCASE("by lock") { CHECK(held->lock.lock().error() == Errc::owner_died); }
  SUBCASE("by try_lock") { CHECK(held->lock.try_lock()); }
  SUBCASE("by try_lock_for") { CHECK(held->lock.try_lock_for(limit).error() == Errc::owner_died); }
  CHECK(held->lock.owner_died());
  CHECK(held->lock.held());
  held->lock.unlock();
  CHECK(held->lock.lock().ok()); // it is a lock as before
  CHECK(!held->lock.owner_died());
  held->lock.unlock();
  CHECK(!held->lock.locked());
}

TEST_CASE("who waits for a lock when its owner is killed gets it at once") {
  Mapped<Held<rt::SharedLock>> held;
  Victim victim([&] {
    held->lock.lock();
    held->step = 1;
  });
  CHECK(becomes([&] { return held->step == 1; }));
  Errc first = Errc::none, second = Errc::none;
  const auto wait = [&](Errc& error) {
    error = held->lock.lock().error().code;
    held->lock.unlock();
  };
  {
    Running one([&] { wait(first); }), two([&] { wait(second); });
    CHECK(one.comes_to_rest());
    CHECK(two.comes_to_rest());
    victim.kill();
  }
  CHECK((first == Errc::owner_died) != (second == Errc::owner_died));
}

TEST_CASE("a thread that ends with a shared lock in its hands is a dead owner") {
  rt::SharedLock first, second, given_back;
  {
    Running thread([&] { first.lock(), given_back.lock(), second.lock(), given_back.unlock(); });
  }
  CHECK(first.lock().error() == Errc::owner_died);
  CHECK(second.lock().error() == Errc::owner_died);
  CHECK(given_back.lock().ok());
  first.unlock();
  second.unlock();
  given_back.unlock();
}

TEST_CASE("locks may be freed in any order, beside glibc's robust mutexes") {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t theirs[2];
  for (auto& mutex : theirs) pthread_mutex_init(&mutex, &attributes);
  rt::SharedLock ours[3];
  {
    Running thread([&] {
      ours[0].lock();
      pthread_mutex_lock(&theirs[0]);
      ours[1].lock();
      pthread_mutex_lock(&theirs[1]);
      ours[2].lock();
      ours[1].unlock();
      pthread_mutex_unlock(&theirs[0]);
      ours[1].lock();
      ours[0].unlock();
    });
  }
  CHECK(ours[0].lock().ok());
  CHECK(ours[1].lock().error() == Errc::owner_died);
  CHECK(ours[2].lock().error() == Errc::owner_died);
  for (auto& lock : ours) lock.unlock();
  CHECK(pthread_mutex_lock(&theirs[0]) == 0);
  CHECK(pthread_mutex_lock(&theirs[1]) == EOWNERDEAD);
  pthread_mutex_consistent(&theirs[1]);
  for (auto& mutex : theirs) {
    pthread_mutex_unlock(&mutex);
    pthread_mutex_destroy(&mutex);
  }
  pthread_mutexattr_destroy(&attributes);
}

TEST_CASE("a fiber's lock is given on when its process is killed, and its hub's other fibers do not hold it") {
  Mapped<Held<rt::SharedRLock>> held;
  Victim victim([&] {
    auto owner = rt::spawn([&] {
      held->lock.lock();
      held->step = 1;
      rt::sleep_for(limit);
    });
    auto other = rt::spawn([&] {
      if (!held->lock.held() && !held->lock.try_lock_for(1ms)) held->step = 2;
    });
    other.join();
    rt::sleep_for(limit);
  });
  CHECK(becomes([&] { return held->step == 2; }));
  victim.kill();
  CHECK(held->lock.lock().error() == Errc::owner_died);
  CHECK(held->lock.depth() == 1);
  held->lock.unlock();
}

TEST_CASE("a fiber that waits for a shared lock lets its hub's others run") {
  Mapped<Held<rt::SharedLock>> held;
  Child child([&] {
    held->lock.lock();
    held->step = 1;
    while (held->step != 2) rt::sleep_for(1ms);
    held->lock.unlock();
    return true;
  });
  CHECK(becomes([&] { return held->step == 1; }));
  auto waiter = rt::spawn([&] {
    const bool taken = held->lock.lock().ok();
    held->lock.unlock();
    return taken;
  });
  auto other = rt::spawn([&] {
    rt::sleep_for(moment);
    held->step = 2;
  });
  CHECK(waiter.join());
  other.join();
  CHECK(child.end().exited_with(0));
}

TEST_CASE("a canceled fiber stops waiting for a shared lock") {
  rt::SharedLock lock;
  lock.lock();
  auto waiter = rt::spawn([&] { return lock.try_lock_for(limit).error().code; });
  auto stubborn = rt::spawn([&] { return lock.lock().ok(); }); // it could not be told
  rt::sleep_for(1ms);
  waiter.cancel();
  stubborn.cancel();
  CHECK(waiter.join() == Errc::canceled);
  lock.unlock();
  CHECK(stubborn.join());
}

TEST_CASE("a lock that is destroyed by its owner is not in the way of the next") {
  {
    rt::SharedLock destroyed;
    destroyed.lock();
  }
  rt::SharedLock next;
  next.lock();
  next.unlock();
  CHECK(!next.locked());
}

namespace {

struct Meeting {
  rt::SharedLock lock;
  rt::SharedCondition condition;
  int waiting = 0;
};

} // namespace

TEST_CASE("a notification finds a living waiter when the one that came first was killed") {
  Mapped<Meeting> meeting;
  const auto wait = [&] {
    const std::lock_guard guard(meeting->lock);
    ++meeting->waiting;
    (void)meeting->condition.wait(meeting->lock);
  };
  const auto waiting = [&](int count) {
    return becomes([&] {
      const std::lock_guard guard(meeting->lock);
      return meeting->waiting == count;
    });
  };
  Victim victim(wait);
  CHECK(waiting(1));
  Child child([&] { return wait(), true; });
  CHECK(waiting(2));
  SUBCASE("before the notification") {
    victim.kill();
    meeting->condition.notify_one();
  }
  SUBCASE("after it, before it has taken the lock again") {
    {
      const std::lock_guard guard(meeting->lock);
      meeting->condition.notify_one();
      victim.kill();
    }
  }
  CHECK(child.end().exited_with(0));
}

TEST_CASE("the permits of a killed process come back, and who gets one is told") {
  struct Room {
    rt::SharedBoundedSemaphore places{3};
    std::atomic<int> inside = 0;
  };
  Mapped<Room> room;
  CHECK(room->places.acquire().ok());
  Victim victim([&] {
    for (int i = 0; i < 2; ++i) room->inside += room->places.acquire().ok() ? 1 : 0;
  });
  CHECK(becomes([&] { return room->inside == 2; }));
  CHECK(room->places.value() == 0);
  CHECK(!room->places.try_acquire());
  CHECK(room->places.try_acquire_for(1ms).error() == Errc::timed_out);
  Errc error = Errc::none;
  {
    Running waiting([&] { error = room->places.acquire().error().code; });
    CHECK(waiting.comes_to_rest());
    victim.kill();
  }
  CHECK(error == Errc::owner_died);
  CHECK(room->places.value() == 1);
  CHECK(room->places.acquire().error() == Errc::owner_died);
  CHECK(room->places.value() == 0);
  CHECK(room->places.release(3).ok());
  CHECK(room->places.release().error() == Errc::over_released);
  CHECK(room->places.acquire().ok());
}

TEST_CASE("a barrier in which a party was killed is broken for the others") {
  Mapped<rt::SharedBarrier> barrier(3u);
  Victim victim([&] { (void)barrier->wait(); });
  CHECK(becomes([&] { return barrier->n_waiting() == 1; }));
  rt::Result<unsigned> waited = 0u;
  {
    Running other([&] { waited = barrier->wait(); });
    CHECK(becomes([&] { return barrier->n_waiting() == 2; }));
    victim.kill();
  }
  CHECK(waited.error() == Errc::broken_barrier);
  CHECK(barrier->broken());
  CHECK(barrier->wait().error() == Errc::broken_barrier);
  barrier->reset();
  CHECK(barrier->wait_for(1ms).error() == Errc::timed_out);
}

TEST_CASE("a barrier whose action dies with its process is broken") {
  struct Meeting {
    std::atomic<bool> acts = false;
    rt::SharedBarrier barrier{2, [this] {
                                acts = true;
                                pause();
                              }};
  };
  Mapped<Meeting> meeting;
  rt::Result<unsigned> waited = 0u;
  {
    Running other([&] { waited = meeting->barrier.wait(); });
    CHECK(becomes([&] { return meeting->barrier.n_waiting() == 1; }));
    Victim victim([&] { (void)meeting->barrier.wait(); });
    CHECK(becomes([&] { return meeting->acts.load(); }));
    victim.kill();
  }
  CHECK(waited.error() == Errc::broken_barrier);
}

TEST_CASE("a semaphore's waiter is not held up by another that was killed") {
  Mapped<rt::SharedSemaphore> semaphore(0u);
  Mapped<std::atomic<int>> acquired(0);
  const auto acquire = [&] {
    semaphore->acquire();
    ++*acquired;
  };
  Victim first(acquire);
  Child second([&] { return acquire(), true; });
  rt::sleep_for(moment);
  first.kill();
  semaphore->release();
  CHECK(second.end().exited_with(0));
  CHECK(*acquired == 1);
}
