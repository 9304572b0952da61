// What processes share, with the robust list of our own and without any libc.

#include "check.hpp"

#include <rt/rt.hpp>

#include <mutex>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr auto limit = 60s;

struct Common {
  rt::SharedRLock lock;
  rt::SharedEvent held;
  long first = 0, second = 0;
};

/// A process that runs the function and then waits to be killed.
template <class F> class Victim {
 public:
  explicit Victim(F function)
      : process_([function] {
          function();
          for (;;) rt::sleep_for(1h);
        }) {
    CHECK(process_.start().ok());
  }
  void kill() {
    CHECK(process_.kill().ok());
    process_.join();
  }

 private:
  rt::Process process_;
};

} // namespace

RT_CASE("a lock whose owner was killed goes to the next, who is told") {
  rt::Shared<Common> common;
  Victim victim([&] {
    common->lock.lock();
    common->held.set();
  });
  CHECK(common->held.wait_for(limit).ok());
  CHECK(!common->lock.try_lock());
  victim.kill();
  CHECK(common->lock.lock().error() == rt::Errc::owner_died);
  CHECK(common->lock.owner_died());
  common->lock.unlock();
  CHECK(common->lock.lock().ok());
  common->lock.unlock();
}

RT_CASE("a fiber's lock is given on when its process is killed") {
  rt::Shared<Common> common;
  Victim victim([&] {
    auto owner = rt::spawn([&] {
      common->lock.lock();
      common->held.set();
      rt::sleep_for(1h);
    });
    owner.join();
  });
  CHECK(common->held.wait_for(limit).ok());
  victim.kill();
  CHECK(common->lock.lock().error() == rt::Errc::owner_died);
  common->lock.unlock();
}

RT_CASE("a thread that ends with a shared lock in its hands is a dead owner") {
  rt::SharedLock lock;
  {
    rt::Thread thread([&] { lock.lock(); });
    CHECK(thread.start().ok());
  }
  CHECK(lock.lock().error() == rt::Errc::owner_died);
  lock.unlock();
}

RT_CASE("processes of different PID namespaces, where ids are the same, do not take each other's locks for theirs") {
  rt::Shared<Common> common;
  constexpr unsigned long new_pid_namespace = 0x20000000; // CLONE_NEWPID
  const auto in_namespace = [&](auto function) {
    const auto child = rt::kernel::fork(new_pid_namespace);
    // Only root may, and only where the kernel has namespaces.
    if (child.error() == rt::Errc::operation_not_permitted || child.error() == rt::Errc::invalid_argument) return false;
    CHECK(child.ok());
    if (*child != 0) return true;
    CHECK(rt::kernel::process_id() == 1);
    rt::this_thread_task.id = rt::current_task_id = 1;
    function();
    rt::kernel::exit_process(0);
  };
  const bool allowed = in_namespace([&] {
    common->lock.lock();
    common->held.set();
    rt::sleep_for(20ms);
    common->first = 1;
    common->lock.unlock();
  });
  if (!allowed) return;
  CHECK(common->held.wait_for(limit).ok());
  in_namespace([&] {
    CHECK(!common->lock.held());
    CHECK(common->lock.lock().ok());
    CHECK(common->first == 1);
    common->lock.unlock();
  });
  for (int i = 0; i < 2; ++i) {
    const auto ended = rt::kernel::wait_for_child(rt::kernel::any_child);
    CHECK(ended.ok() && ended->status.exited() && ended->status.exit_code() == 0);
  }
}

RT_CASE("a queue's consumers get what its producers put, and join knows what was lost") {
  constexpr int items = 2000;
  rt::SharedQueue<int> work(16);
  rt::SharedQueue<rt::Value> sums;
  {
    std::vector<rt::Process> children;
    for (int i = 0; i < 2; ++i) {
      children.emplace_back([&] {
        for (int item = 1; item <= items; ++item) CHECK(work.put(item).ok());
      });
      children.emplace_back([&] {
        long sum = 0;
        for (auto item = work.get(); item; item = work.get()) {
          sum += *item;
          CHECK(work.task_done().ok());
        }
        CHECK(sums.put(sum).ok());
      });
    }
    for (auto& child : children) CHECK(child.start().ok());
    CHECK(children[0].join_for(limit).ok() && children[2].join_for(limit).ok());
    CHECK(work.join_for(limit).ok());
    work.shutdown();
    for (auto& child : children) {
      CHECK(child.join_for(limit).ok());
      CHECK(child.exit_code() == 0);
    }
  }
  CHECK(sums.get()->integer() + sums.get()->integer() == items * (items + 1l));

  rt::SharedQueue<int> lost;
  rt::Shared<Common> common;
  CHECK(lost.put(1).ok());
  Victim victim([&] {
    CHECK(lost.get().ok());
    common->held.set();
  });
  CHECK(common->held.wait_for(limit).ok());
  victim.kill();
  CHECK(lost.join_for(limit).error() == rt::Errc::owner_died);
}

RT_CASE("a barrier in which a party was killed is broken, and a bounded semaphore has its permits again") {
  struct Meeting {
    rt::SharedBarrier barrier{3};
    rt::SharedBoundedSemaphore room{1};
  };
  rt::Shared<Meeting> meeting;
  Victim victim([&] {
    CHECK(meeting->room.acquire().ok());
    (void)meeting->barrier.wait();
  });
  rt::Process other([&] { CHECK(meeting->barrier.wait_for(limit).error() == rt::Errc::broken_barrier); });
  CHECK(other.start().ok());
  while (meeting->barrier.n_waiting() < 2) rt::sleep_for(1ms);
  CHECK(!meeting->room.try_acquire());
  victim.kill();
  other.join();
  CHECK(other.exit_code() == 0);
  CHECK(meeting->barrier.broken());
  CHECK(meeting->room.acquire().error() == rt::Errc::owner_died);
  CHECK(meeting->room.release().ok());
}

RT_CASE("processes that are killed at any moment leave a lock and a queue in order") {
  rt::Shared<Common> common;
  rt::SharedQueue<rt::Value> queue; // a process that is killed between put and get leaves an item
  const rt::Value item = {1, "two", 3.0};
  const auto live = [&] {
    for (;;) {
      if (!common->lock.lock()) common->second = common->first;
      CHECK(common->first == common->second);
      ++common->first;
      ++common->second;
      common->lock.unlock();
      CHECK(queue.put(item).ok());
      CHECK(queue.get().value() == item);
    }
  };
  std::vector<rt::Process> running;
  for (int i = 0; i < 2; ++i) {
    running.emplace_back(live);
    CHECK(running.back().start().ok());
  }
  for (int i = 0; i < 40; ++i) {
    rt::Process victim(live);
    CHECK(victim.start().ok());
    rt::sleep_for(std::chrono::microseconds(37 * i));
    CHECK(victim.kill().ok());
    victim.join();
    CHECK(victim.exit_code() == -9);
  }
  const auto taken = common->lock.try_lock_for(limit);
  CHECK(taken.ok() || taken.error() == rt::Errc::owner_died);
  if (!taken.ok()) common->second = common->first;
  const long before = common->first;
  common->lock.unlock();
  for (long now = before; now < before + 100;) {
    rt::sleep_for(1ms);
    CHECK(common->lock.try_lock_for(limit).ok());
    now = common->first;
    common->lock.unlock();
  }
  for (auto& process : running) {
    CHECK(!process.exit_code());
    CHECK(process.kill().ok());
    process.join();
  }
}
