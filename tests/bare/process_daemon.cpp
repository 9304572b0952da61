// Daemon processes end with their parent, whoever has started them and however it ends; others do not.

#include "check.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>
#include <rt/process/process.hpp>
#include <rt/start/exit.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

#include <memory>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr auto limit = 20s; // a machine that is simulated takes its time

/// A pipe that each process holds as long as it lives, and writes a letter to when it runs.
class Census {
 public:
  void enter() const { rt::write_text("x", pipe_.write, false); }
  void leave_to_others() { rt::kernel::close_file(pipe_.write).value(); }

  /// Waits until that many have entered.
  void await(std::size_t count) const {
    char text[64];
    while (count > 0) {
      CHECK(rt::wait_until_ready(pipe_.read, rt::Ready::read, rt::Deadline::after(limit)));
      const std::size_t size = rt::kernel::read_file(pipe_.read, {text, std::min(count, sizeof text)}).value();
      CHECK(size > 0);
      count -= size;
    }
  }
  /// All that have entered end in time. To be called when nobody but them holds the pipe.
  bool all_end() const {
    const auto deadline = rt::Deadline::after(limit);
    char text[64];
    while (rt::wait_until_ready(pipe_.read, rt::Ready::read, deadline))
      if (rt::kernel::read_file(pipe_.read, text).value() == 0) return true;
    return false;
  }
  int number() const { return pipe_.write; }
  bool somebody_lives() const {
    return rt::wait_until_ready(pipe_.read, rt::Ready::read, rt::Deadline::after(50ms)).error() == rt::Errc::timed_out;
  }

 private:
  rt::kernel::PipeEnds pipe_ = rt::kernel::make_pipe(0).value();
};

rt::Process make_daemon(const Census& census, const rt::Namespaces& namespaces = {}) {
  return rt::Process({.daemon = true, .namespaces = namespaces}, [&census] {
    census.enter();
    rt::sleep_for(60s);
  });
}

/// Runs the function in a process, kills that once `count` have entered, and tells whether all end.
template <class F> bool all_end_with_a_parent_that_is_killed(std::size_t count, F function) {
  Census census;
  rt::Process parent([&] {
    function(census);
    rt::sleep_for(60s);
  });
  parent.start().value();
  census.leave_to_others();
  census.await(count);
  CHECK(census.somebody_lives());
  parent.kill().value();
  const bool ended = census.all_end();
  parent.join();
  return ended && parent.exit_code() == -9;
}

// What this program does by another name: holds its standard output open.
constexpr std::string_view sleeper = "sleeper";
[[gnu::constructor]] void sleep_if_asked(int argc, char** argv, char**) {
  if (argc == 0 || argv[0] != sleeper) return;
  rt::print("x");
  rt::sleep_for(60s);
}

void start_and_forget(rt::Process&& process) {
  rt::Process local(std::move(process));
  local.start().value();
}

} // namespace

RT_CASE("20 daemons end when their parent is killed") {
  CHECK(all_end_with_a_parent_that_is_killed(20, [](const Census& census) {
    for (int i = 0; i < 20; ++i) start_and_forget(make_daemon(census));
  }));
}

RT_CASE("daemons that threads and fibers have started end when their parent is killed") {
  CHECK(all_end_with_a_parent_that_is_killed(9, [](const Census& census) {
    const auto start = [&census] {
      for (int i = 0; i < 3; ++i) start_and_forget(make_daemon(census));
    };
    rt::Thread by_thread(start), by_fiber_of_thread([&] { rt::spawn(start).join(); });
    by_thread.start().value();
    by_fiber_of_thread.start().value();
    rt::spawn(start).join();
    by_thread.join();
    by_fiber_of_thread.join();
  }));
}

RT_CASE("a daemon does not end with the thread that has started it") {
  Census census;
  rt::Process daemon = make_daemon(census);
  rt::Thread thread([&] {
    daemon.start().value();
    census.await(1);
  });
  thread.start().value();
  thread.join();
  CHECK(daemon.join_for(50ms).error() == rt::Errc::timed_out);
  daemon.kill().value();
  daemon.join();
  CHECK(daemon.exit_code() == -9);
}

RT_CASE("a daemon that blocks all signals ends as well") {
  CHECK(all_end_with_a_parent_that_is_killed(2, [](const Census& census) {
    const auto start = [&census] {
      start_and_forget(rt::Process({.daemon = true}, [&census] {
        rt::kernel::block_signals(rt::kernel::SignalSet::all());
        census.enter();
        rt::sleep_for(60s);
      }));
    };
    start();
    rt::Thread thread(start);
    thread.start().value();
    thread.join();
  }));
}

RT_CASE("a daemon that is the PID 1 of a namespace ends as well") {
  rt::Process allowed({.namespaces = {.process_ids = true}}, [] {});
  if (const auto started = allowed.start(); !started) {
    rt::println("  namespaces: {}", started.error());
    CHECK(started.error() == rt::Errc::operation_not_permitted || started.error() == rt::Errc::invalid_argument);
    return;
  }
  CHECK(all_end_with_a_parent_that_is_killed(
      1, [](const Census& census) { start_and_forget(make_daemon(census, {.process_ids = true})); }));
}

RT_CASE("daemons of daemons end with them") {
  CHECK(all_end_with_a_parent_that_is_killed(3, [](const Census& census) {
    start_and_forget(rt::Process({.daemon = true}, [&census] {
      start_and_forget(make_daemon(census));
      rt::Thread([&census] { start_and_forget(make_daemon(census)); }).start().value();
      census.enter();
      rt::sleep_for(60s);
    }));
  }));
}

// The parent may be gone before the child has done anything at all.
RT_CASE("daemons end also when their parent is killed in the moment of their start") {
  Census census;
  for (int i = 0; i < 30; ++i) {
    rt::Process parent([&census, i] {
      const auto start = [&census] {
        for (int n = 0; n < 20; ++n) start_and_forget(make_daemon(census));
      };
      if (i % 2 == 0) start();
      rt::Thread thread(start);
      thread.start().value();
      thread.join();
    });
    parent.start().value();
    census.await(1);
    rt::sleep_for(std::chrono::microseconds(i * 20));
    parent.kill().value();
    parent.join();
  }
  census.leave_to_others();
  CHECK(census.all_end());
}

RT_CASE("a program that is executed as a daemon ends with its parent") {
  CHECK(all_end_with_a_parent_that_is_killed(2, [](const Census& census) {
    const auto start = [&census] {
      rt::Process::exec("/proc/self/exe", {sleeper}, {.daemon = true, .output = rt::Stream::of(census.number())})
          .value();
    };
    start();
    rt::Thread thread(start);
    thread.start().value();
    thread.join();
  }));
}

RT_CASE_ENDS("a process that is no daemon outlives a parent that is killed", bare::by_exit(0), "the survivor\n") {
  Census census;
  rt::Process parent([&census] {
    auto* const survivor = new rt::Process([&census] {
      census.enter();
      rt::sleep_for(200ms);
      rt::eprintln("the survivor");
    });
    survivor->start().value();
    rt::sleep_for(60s);
  });
  parent.start().value();
  census.leave_to_others();
  census.await(1);
  parent.kill().value();
  CHECK(census.all_end());
}

RT_CASE("a daemon that ignores SIGTERM is killed when its parent exits") {
  Census census;
  const Census ready;
  rt::Process parent([&] {
    start_and_forget(rt::Process({.daemon = true}, [&] {
      rt::kernel::set_signal_action(rt::kernel::Signal::sigterm, rt::kernel::SignalAction::ignore());
      ready.enter();
      rt::sleep_for(60s);
    }));
    ready.await(1);
    rt::exit(4);
  });
  parent.start().value();
  census.leave_to_others();
  CHECK(census.all_end());
  parent.join();
  CHECK(parent.exit_code() == 4);
}
