// Fibers and the threads around them: who joins, who could still wake a hub, and what happens at a thread's end.

#include "sync_test.hpp"

#include <rt/rt.hpp>

#include <mutex>
#include <random>
#include <vector>

using namespace sync_test;
using rt::Errc;

TEST_CASE("a thread is joined by many fibers at once, some of them for a limited time") {
  rt::Event event;
  Running thread([&] { event.wait(); });
  int joined = 0, timed_out = 0;
  std::vector<rt::Fiber<void>> fibers;
  for (int i = 0; i < 50; ++i)
    fibers.push_back(rt::spawn([&, i] {
      CHECK(thread.is_alive());
      if (i % 3 == 0) {
        CHECK(thread.join_for(i * 20us).error() == Errc::timed_out);
        ++timed_out;
      } else if (i % 3 == 1) {
        thread.join();
        CHECK_FALSE(thread.is_alive());
        ++joined;
      } else {
        CHECK(thread.join_for(limit));
        ++joined;
      }
    }));
  CHECK(becomes([&] { return timed_out == 17; }));
  CHECK(joined == 0);
  event.set();
  CHECK(rt::joinall(fibers, limit));
  CHECK(joined == 33);
}

TEST_CASE("a fiber that waits for a thread's end can be canceled") {
  rt::Event event;
  Running thread([&] { event.wait(); });
  auto fiber = rt::spawn([&] { return thread.join_for(limit).error().code; });
  rt::yield();
  fiber.cancel();
  CHECK(fiber.join() == Errc::canceled);
  event.set();
}

TEST_CASE("a fiber that joins its own thread ends the program") {
  check_panics("its own thread", [] {
    rt::Thread* self = nullptr;
    rt::Thread thread([&] { rt::spawn([&] { self->join(); }).join(); });
    self = &thread;
    thread.start().value();
    thread.join();
  });
}

TEST_CASE("a fiber that waits for a lock when its thread ends gets it, however long that takes") {
  rt::Lock lock;
  bool got = false;
  lock.lock();
  Running thread([&] {
    rt::spawn([&] {
      const std::lock_guard guard(lock);
      got = true;
    });
    rt::yield();
  });
  rt::sleep_for(400ms); // longer than the dead-lock detector leaves it alone
  CHECK(thread.is_alive());
  lock.unlock();
  thread.join();
  CHECK(got);
}

TEST_CASE("a thread that wakes a fiber and ends does not leave a hub that thinks itself stuck") {
  const ChildEnd end = in_child([] {
    rt::set_spin_time(0ns);
    std::minstd_rand random(1);
    for (int round = 0; round < 2000; ++round) {
      rt::Event event;
      rt::Thread thread(rt::ThreadOptions{.daemon = true}, [&event, steps = random() % 4000] {
        dawdle(static_cast<unsigned>(steps));
        event.set();
      });
      thread.start().value();
      rt::spawn([&] { event.wait(); }).join();
    }
    return true;
  });
  CHECK_MESSAGE(end.exited_with(0), end.output);
}

TEST_CASE("a hub is stuck only when no other thread could wake one of its fibers") {
  SUBCASE("the only thread: a report that names what waits") {
    check_panics("all fibers wait for ever", [] {
      rt::Event never;
      rt::spawn(rt::FiberOptions{.name = "forgotten"}, [&] { never.wait(); }).join();
    });
  }
  SUBCASE("beside another thread it waits") {
    rt::Event event;
    Running other([&] {
      rt::sleep_for(50ms);
      event.set();
    });
    rt::spawn([&] { event.wait(); }).join();
  }
}

TEST_CASE("hubs are used again by later threads") {
  for (int round = 0; round < 20; ++round) {
    long sum = 0;
    Running thread([&] {
      std::vector<rt::Fiber<int>> fibers;
      for (int i = 0; i < 10; ++i)
        fibers.push_back(rt::spawn([i] {
          rt::yield();
          return i;
        }));
      for (auto& fiber : fibers) sum += fiber.join();
    });
    thread.join();
    CHECK(sum == 45);
  }
}
