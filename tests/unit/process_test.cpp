// Process: its two forms, its end, and what the child finds.

#include "sync_test.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/hub.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/process/process.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/semaphore.hpp>

#include <atomic>
#include <csignal>
#include <string>
#include <vector>

using namespace sync_test;

namespace {

using Flag = Mapped<std::atomic<int>>;

bool ended_with(rt::Process& process, int code) {
  if (!process.join_for(limit)) process.kill();
  process.join();
  return process.exit_code() == code;
}

void sleep_long() { rt::sleep_for(limit); }

} // namespace

TEST_CASE("a process calls its function on copies of the arguments") {
  const Flag seen(0);
  std::string text = "four";
  rt::Process process([&seen](const std::string& word, int n) { *seen = static_cast<int>(word.size()) * n; }, text, 10);
  text = "changed";
  process.start().value();
  CHECK(ended_with(process, 0));
  CHECK(*seen == 40);
}

TEST_CASE("memory of the child is a copy") {
  int variable = 1;
  rt::Process process([&variable] { return ++variable; });
  process.start().value();
  CHECK(ended_with(process, 2));
  CHECK(variable == 1);
}

TEST_CASE("the int that a function returns is the exit code, and whatever else it returns is not") {
  rt::Process with_int([] { return 7; }), with_text([] { return std::string("7"); });
  with_int.start().value();
  with_text.start().value();
  CHECK(ended_with(with_int, 7));
  CHECK(ended_with(with_text, 0));
}

TEST_CASE("a subclass runs its run() with its members") {
  struct Named : rt::Process {
    explicit Named(std::atomic<int>& place) : Process({.name = "of my own"}), seen(place) {}
    void run() override { seen = name() == "of my own" && rt::current_task().name.data() == name() ? number : -1; }
    std::atomic<int>& seen;
    int number = 5;
  };
  const Flag seen(0);
  Named process(*seen);
  process.number = 6;
  process.start().value();
  CHECK(ended_with(process, 0));
  CHECK(*seen == 6);
}

TEST_CASE("a process is alive from its start to its end") {
  const Flag ready(0);
  rt::Process process([&ready] {
    std::signal(SIGTERM, SIG_DFL); // which the test framework handles
    *ready = 1;
    sleep_long();
  });
  CHECK(!process.is_alive());
  CHECK(process.pid() == 0);
  CHECK(process.pidfd() == -1);
  CHECK(!process.exit_code());
  process.join();
  CHECK(process.terminate().error() == rt::Errc::no_such_process);
  process.start().value();
  CHECK(process.is_alive());
  CHECK(process.pid() > 0);
  CHECK(!process.exit_code());
  CHECK(process.join_for(moment).error() == rt::Errc::timed_out);
  CHECK(process.start().error() == rt::Errc::already_started);
  CHECK(becomes([&] { return *ready == 1; }));
  process.terminate().value();
  CHECK(ended_with(process, -SIGTERM));
  CHECK(!process.is_alive());
  process.terminate().value();
  CHECK(process.start().error() == rt::Errc::already_started);
}

TEST_CASE("a process that is killed has the signal as its exit code") {
  rt::Process process(sleep_long);
  process.start().value();
  process.kill().value();
  CHECK(ended_with(process, -SIGKILL));
}

TEST_CASE("processes are numbered, and children of children after their parents") {
  const Mapped<std::array<char, 64>> name;
  rt::Process first(sleep_long);
  CHECK(first.name().starts_with("Process-"));
  rt::Process second([&name] {
    rt::Process nested([&name] {
      const std::string_view own = rt::current_task().name.data();
      std::copy(own.begin(), own.end(), name->begin());
    });
    nested.start().value();
  });
  second.start().value();
  CHECK(ended_with(second, 0));
  CHECK(std::string(name->data()) == std::string(second.name()) + ":1");
}

TEST_CASE("who goes out of scope joins its process, unless it is a daemon") {
  const Flag done(0);
  {
    rt::Process process([&done] {
      rt::sleep_for(moment);
      *done = 1;
    });
    process.start().value();
  }
  CHECK(*done == 1);
  const Flag go(0);
  {
    rt::Process process({.daemon = true}, [&] {
      while (*go == 0) rt::sleep_for(1ms);
      *done = 2;
    });
    process.start().value();
  }
  CHECK(*done == 1);
  *go = 1;
  CHECK(becomes([&] { return *done == 2; }));
}

TEST_CASE("a Process can be moved, unless it is of a subclass") {
  std::vector<rt::Process> processes;
  for (int i = 0; i < 10; ++i) {
    processes.emplace_back([i] { return i; });
    processes.back().start().value();
  }
  for (int i = 0; i < 10; ++i) CHECK(ended_with(processes[static_cast<std::size_t>(i)], i));
  check_panics("subclass was moved", [] {
    struct Empty : rt::Process {};
    Empty first;
    Empty second(std::move(first));
  });
}

TEST_CASE("several threads and fibers can join one process") {
  const Flag go(0);
  rt::Process process([&go] {
    while (*go == 0) rt::sleep_for(1ms);
    return 3;
  });
  process.start().value();
  std::atomic<int> joined = 0;
  const auto join = [&] {
    process.join();
    if (process.exit_code() == 3) ++joined;
  };
  {
    const Running first(join), second(join), third([&] { rt::spawn(join).join(); });
    CHECK(first.comes_to_rest());
    *go = 1;
  }
  CHECK(joined == 3);
}

TEST_CASE("the descriptor of a process is ready from its end on") {
  const Flag go(0);
  rt::Process process([&go] {
    while (*go == 0) rt::sleep_for(1ms);
  });
  process.start().value();
  CHECK(rt::wait_until_ready(process.pidfd(), rt::Ready::read, rt::Deadline::after(moment)).error() ==
        rt::Errc::timed_out);
  *go = 1;
  CHECK(rt::wait_until_ready(process.pidfd(), rt::Ready::read, rt::Deadline::after(limit)));
  CHECK(!process.is_alive());
  CHECK(rt::wait_until_ready(process.pidfd(), rt::Ready::read, rt::Deadline::after(limit)));
}

TEST_CASE("a descriptor that is asked for only after the end is ready, too") {
  for (const bool noticed : {false, true}) {
    rt::Process process([] {});
    process.start().value();
    if (noticed) process.join();
    CHECK(rt::wait_until_ready(process.pidfd(), rt::Ready::read, rt::Deadline::after(limit)));
    CHECK(ended_with(process, 0));
  }
}

TEST_CASE("a process is joined while others look whether it is alive") {
  std::atomic<int> joined = 0;
  for (int i = 0; i < 20; ++i) {
    const Flag go(0);
    rt::Process process([&go] {
      while (*go == 0) rt::sleep_for(100us);
      return 4;
    });
    process.start().value();
    const auto join = [&] {
      process.join();
      joined += process.exit_code() == 4;
    };
    const auto look = [&] {
      while (process.is_alive()) *go = 1;
      joined += process.exit_code() == 4;
    };
    const Running first(join), second(join), third(look), fourth(look);
  }
  CHECK(joined == 80);
}

TEST_CASE("a child that joins a process of its parent's is told so") {
  rt::Process process(sleep_long);
  process.start().value();
  rt::Process other([&process] {
    const bool unknown = !process.is_alive() && !process.exit_code() &&
                         process.terminate().error() == rt::Errc::no_child_process &&
                         process.join_for(moment).error() == rt::Errc::no_child_process;
    return unknown ? 0 : 1;
  });
  other.start().value();
  CHECK(ended_with(other, 0));
  CHECK(process.is_alive());
  process.kill().value();
  CHECK(ended_with(process, -SIGKILL));
}

TEST_CASE("a process that a thread or a fiber starts is its process's main thread, with a hub of its own") {
  const auto check = [] {
    rt::spawn([] { sleep_long(); }); // stays behind
    rt::Process process([] {
      const bool alone = rt::hub_info().fibers == 0 && rt::current_task().id == static_cast<rt::TaskId>(getpid()) &&
                         rt::current_task().limit == 0;
      auto one = rt::spawn([] { return rt::sleep_for(1ms), 1; });
      auto two = rt::spawn([] { return rt::sleep_for(2ms), 2; });
      return alone ? one.join() + two.join() : 0;
    });
    process.start().value();
    return ended_with(process, 3);
  };
  std::atomic<int> right = 0;
  {
    const Running in_thread([&] { right += check(); });
    const Running in_fiber([&] { right += rt::spawn(check).join(); });
  }
  CHECK(right == 2);
}
