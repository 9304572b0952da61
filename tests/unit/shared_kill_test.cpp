// A process is killed after one instruction of an operation on shared memory, after two, after three, until it gets to
// the operation's end; and each time the others must find what it has left in order.

#include "sync_test.hpp"

#include <rt/process/shared.hpp>
#include <rt/process/shared_queue.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/shared_barrier.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>
#include <rt/sync/shared_condition.hpp>

#include <csignal>
#include <mutex>
#include <string>
#include <sys/ptrace.h>

using namespace sync_test;
using rt::Errc;

namespace {

/// A child that runs a function one instruction at a time, after another one that it runs at once, and is killed.
class Stepped {
 public:
  template <class First, class F> Stepped(First first, F function) : pid_(fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      first();
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      function();
      raise(SIGSTOP);
    }
    waitpid(pid_, &status_, 0);
  }
  Stepped(const Stepped&) = delete;
  ~Stepped() {
    kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
  }

  /// Returns whether the function has returned.
  bool step(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
      waitpid(pid_, &status_, 0);
      if (WIFSTOPPED(status_) && WSTOPSIG(status_) == SIGSTOP) return true;
      REQUIRE(WIFSTOPPED(status_));
    }
    return false;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

/// Steps that a test case can afford: some microseconds each.
constexpr std::uint64_t budget = 60'000;

/// act(object) in the child, which has done what a first time needs by act(other object); then check(object, whether
/// the child got to the end). Kills after every instruction, or, if these are too many, after some of them, in each run
/// after others. Returns whether it was every one.
template <class Object, class Act, class Check> bool kill_everywhere(Object make, Act act, Check check) {
  const auto run = [&](std::uint64_t steps) {
    auto object = make(), other = make();
    bool ended = false;
    std::uint64_t done = 0;
    {
      Stepped child([&] { act(*other); }, [&] { act(*object); });
      while (!ended && done < steps) ended = child.step(1), ++done;
    }
    check(*object, ended);
    return done;
  };
  const std::uint64_t all = run(1'000'000);
  const std::uint64_t stride = 1 + all * all / (2 * budget);
  for (std::uint64_t steps = static_cast<std::uint64_t>(getpid()) % stride; steps < all; steps += stride) run(steps);
  return stride == 1;
}

template <class T, class... A> auto mapped(A... arguments) {
  return [=] { return std::make_unique<rt::Shared<T>>(arguments...); };
}

} // namespace

TEST_CASE("a lock is usable whenever its owner was killed, and the number of its owners is right") {
  struct Counter {
    rt::SharedRLock lock;
    int begun = 0, ended = 0;
  };
  unsigned deaths = 0;
  const auto use = [](rt::Shared<Counter>& counter) {
    counter->lock.lock();
    ++counter->begun;
    ++counter->ended;
    counter->lock.unlock();
  };
  const bool everywhere = kill_everywhere(mapped<Counter>(), use, [&](rt::Shared<Counter>& counter, bool ended) {
    const auto taken = counter->lock.try_lock_for(limit);
    CHECK((taken.ok() || taken.error() == Errc::owner_died));
    CHECK(counter->lock.depth() == 1);
    if (taken.ok()) CHECK(counter->begun == counter->ended);
    if (ended) CHECK((taken.ok() && counter->ended == 1));
    deaths += !taken.ok();
    counter->lock.unlock();
    CHECK(!counter->lock.locked());
  });
  if (everywhere) CHECK(deaths > 0);
}

TEST_CASE("a message is in a shared queue wholly or not at all, wherever its producer was killed") {
  const std::string text(50, 'm');
  unsigned found = 0;
  const bool everywhere = kill_everywhere(
      [] {
        auto queue = std::make_unique<rt::SharedQueue<std::string>>(2, 64); // it goes around the ring's end
        CHECK(queue->put(std::string(20, '0')).ok());
        CHECK(queue->get().ok());
        CHECK(queue->task_done().ok());
        return queue;
      },
      [&](rt::SharedQueue<std::string>& queue) { (void)queue.put(text); },
      [&](rt::SharedQueue<std::string>& queue, bool ended) {
        const std::size_t size = queue.size();
        CHECK((size == 1 || (size == 0 && !ended)));
        if (size == 1) CHECK(queue.get_for(limit).value() == text);
        found += size == 1;
        if (size == 1) CHECK(queue.task_done().ok());
        CHECK(queue.put_for(text, limit).ok());
        CHECK(queue.get_for(limit).value() == text);
        CHECK(queue.task_done().ok());
        CHECK(queue.join_for(limit).ok());
      });
  if (everywhere) CHECK(found > 0);
}

TEST_CASE(
    "a message that its consumer has not got when it is killed is there for the next, and is lost only once got") {
  unsigned left = 0, lost = 0;
  const bool everywhere = kill_everywhere(
      [] {
        auto queue = std::make_unique<rt::SharedQueue<int>>(4);
        CHECK(queue->put(5).ok());
        return queue;
      },
      [&](rt::SharedQueue<int>& queue) {
        (void)queue.get();
        (void)queue.task_done();
      },
      [&](rt::SharedQueue<int>& queue, bool) {
        if (const auto item = queue.try_get()) {
          CHECK(*item == 5);
          CHECK(queue.task_done().ok());
          CHECK(queue.join_for(limit).ok());
          ++left;
        } else {
          const Errc joined = queue.join_for(limit).error().code;
          CHECK((joined == Errc::none || joined == Errc::owner_died));
          lost += joined == Errc::owner_died;
        }
        CHECK(queue.put_for(6, limit).ok());
        CHECK(queue.get_for(limit).value() == 6);
        CHECK(queue.task_done().ok());
        CHECK(queue.task_done().error() == Errc::over_released);
      });
  if (everywhere) CHECK((left > 0 && lost > 0));
}

TEST_CASE("a bounded semaphore has all its permits again, wherever the one who used it was killed") {
  unsigned told = 0;
  const bool everywhere = kill_everywhere(
      mapped<rt::SharedBoundedSemaphore>(2u),
      [](rt::Shared<rt::SharedBoundedSemaphore>& semaphore) {
        semaphore->acquire();
        (void)semaphore->release();
      },
      [&](rt::Shared<rt::SharedBoundedSemaphore>& semaphore, bool ended) {
        for (int i = 0; i < 2; ++i) {
          const auto acquired = semaphore->try_acquire_for(limit);
          CHECK((acquired.ok() || (acquired.error() == Errc::owner_died && !ended)));
          told += !acquired.ok();
        }
        CHECK(!semaphore->try_acquire());
        CHECK(semaphore->release(2).ok());
        CHECK(semaphore->release().error() == Errc::over_released);
        CHECK(semaphore->value() == 2);
      });
  if (everywhere) CHECK(told > 0);
}

TEST_CASE("a barrier is whole or broken, and can be reset, wherever a party was killed") {
  unsigned broken = 0;
  const bool everywhere = kill_everywhere(
      mapped<rt::SharedBarrier>(1u), [](rt::Shared<rt::SharedBarrier>& barrier) { (void)barrier->wait(); },
      [&](rt::Shared<rt::SharedBarrier>& barrier, bool ended) {
        const auto waited = barrier->wait_for(limit);
        CHECK((waited.ok() || (waited.error() == Errc::broken_barrier && !ended)));
        broken += !waited.ok();
        barrier->reset();
        CHECK(barrier->wait_for(limit).ok());
        CHECK(barrier->n_waiting() == 0);
      });
  if (everywhere) CHECK(broken > 0);
}

TEST_CASE("a condition can be waited at and notified, wherever one who did was killed") {
  struct Monitor {
    rt::SharedLock lock;
    rt::SharedCondition condition;
  };
  (void)kill_everywhere(
      mapped<Monitor>(),
      [](rt::Shared<Monitor>& monitor) {
        const std::lock_guard guard(monitor->lock);
        (void)monitor->condition.wait_for(monitor->lock, 0ms);
        monitor->condition.notify_one();
      },
      [&](rt::Shared<Monitor>& monitor, bool) {
        bool done = false;
        {
          Running waiter([&] {
            const std::lock_guard guard(monitor->lock);
            CHECK(monitor->condition.wait_for(monitor->lock, limit, [&] { return done; }));
          });
          const std::lock_guard guard(monitor->lock);
          done = true;
          monitor->condition.notify_all();
        }
      });
}

TEST_CASE("whoever waits at a shared queue is woken, wherever another one was killed that waited beside it") {
  rt::set_spin_time(0ns);
  (void)kill_everywhere([] { return std::make_unique<rt::SharedQueue<int>>(1); },
                        [](rt::SharedQueue<int>& queue) {
                          (void)queue.get_for(0ms);
                          (void)queue.put(1);
                          (void)queue.put_for(2, 0ms);
                        },
                        [&](rt::SharedQueue<int>& queue, bool ended) {
                          if (ended) CHECK(queue.full());
                          if (queue.full()) CHECK(queue.try_get().ok());
                          int got = 0;
                          {
                            Running consumer([&] {
                              for (int i = 0; i < 3; ++i) got += queue.get_for(limit).value();
                            });
                            Running producer([&] {
                              for (int i = 0; i < 3; ++i) CHECK(queue.put_for(1, limit).ok());
                            });
                          }
                          CHECK(got == 3);
                          CHECK(queue.empty());
                        });
  rt::set_spin_time(rt::default_spin_time);
}
