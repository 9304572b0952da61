// Processes on clone(2): what the child of a program without libc finds, and how both end.

#include "check.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>
#include <rt/memory/stack_pool.hpp>
#include <rt/process/process.hpp>
#include <rt/start/exit.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

void ends_with(rt::Process& process, int code) {
  process.join();
  CHECK(process.exit_code().has_value());
  if (*process.exit_code() != code) rt::eprintln("exit code {} instead of {}", *process.exit_code(), code);
  CHECK(*process.exit_code() == code);
}

std::size_t stack_left() {
  char here;
  const rt::memory::Stack* stack = rt::memory::find_stack(reinterpret_cast<std::uintptr_t>(&here));
  return stack ? static_cast<std::size_t>(&here - stack->begin) : 0;
}

[[gnu::noinline]] int use_stack(int kibibytes) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(kibibytes);
  return kibibytes == 0 ? 0 : use_stack(kibibytes - 1) + frame[0] * 0;
}

struct Loud {
  const char* text;
  ~Loud() { rt::eprintln("{} destroys the {}", rt::current_task().name.data(), text); }
};

} // namespace

RT_CASE("200 processes live at once, and each has its own exit code") {
  std::vector<rt::Process> processes;
  for (int i = 0; i < 200; ++i) {
    processes.emplace_back([i] {
      rt::sleep_for(100ms);
      return i;
    });
    processes.back().start().value();
  }
  for (int i = 0; i < 200; ++i) ends_with(processes[static_cast<std::size_t>(i)], i);
}

RT_CASE("processes leave no descriptor and no child behind") {
  const auto next_descriptor = [] {
    const long descriptor = rt::arch::syscall(__NR_dup, 0);
    rt::arch::syscall(__NR_close, descriptor);
    return descriptor;
  };
  const long before = next_descriptor();
  for (int i = 0; i < 50; ++i) {
    rt::Process process([] {});
    process.start().value();
    process.join();
  }
  CHECK(next_descriptor() == before);
  CHECK(rt::arch::syscall(__NR_wait4, -1, 0, __WALL, 0) == -static_cast<long>(rt::Errc::no_child_process));
}

RT_CASE("wait4(2) for any child knows nothing of processes, and SIGCHLD does not come") {
  using rt::kernel::Signal, rt::kernel::SignalSet;
  // Where it is ignored the kernel takes the status of ordinary children itself.
  rt::kernel::set_signal_action(Signal::sigchld, rt::kernel::SignalAction::ignore());
  rt::Process process([] { return 5; });
  process.start().value();
  CHECK(rt::arch::syscall(__NR_wait4, -1, 0, 0, 0) == -static_cast<long>(rt::Errc::no_child_process));
  CHECK(rt::wait_until_ready(process.pidfd(), rt::Ready::read));
  ends_with(process, 5);

  rt::kernel::set_signal_action(Signal::sigchld, rt::kernel::SignalAction::by_default());
  rt::kernel::block_signals(SignalSet(Signal::sigchld));
  rt::Process another([] {});
  another.start().value();
  ends_with(another, 0);
  CHECK(rt::kernel::wait_for_signal(SignalSet(Signal::sigchld), rt::Deadline::after(0s)).error() ==
        rt::Errc::timed_out);
}

RT_CASE("a process that a fiber starts has a large stack") {
  const int code = rt::spawn([] {
                     CHECK(stack_left() > 0);
                     rt::Process process([] { return stack_left() == 0 ? use_stack(1000) : 1; });
                     process.start().value();
                     process.join();
                     return process.exit_code().value_or(-1);
                   }).join();
  CHECK(code == 0);
}

RT_CASE_ENDS("the child destroys its own statics and the parent the parent's, once each", bare::by_exit(0),
             "Process-1 destroys the child's\nmain destroys the parent's\n") {
  static const Loud parents{"parent's"};
  rt::Process process([] { static const Loud childs{"child's"}; });
  process.start().value();
  process.join();
  rt::exit(0);
}

RT_CASE_ENDS("a process may end with rt::exit", bare::by_exit(0)) {
  rt::Process process([] { rt::exit(9); });
  process.start().value();
  ends_with(process, 9);
}

RT_CASE_ENDS("the parent's exit joins the processes that are no daemons, and ends the daemons", bare::by_exit(3),
             "the last word\n") {
  static rt::Process* const patient = new rt::Process([] {
    rt::sleep_for(100ms);
    rt::eprintln("the last word");
  });
  static rt::Process* const daemon = new rt::Process({.daemon = true}, [] {
    rt::sleep_for(20s);
    rt::eprintln("too late");
  });
  patient->start().value();
  daemon->start().value();
  rt::exit(3);
}

RT_CASE("a daemon that was started by the main thread dies with a parent that is killed") {
  const auto pipe = rt::kernel::make_pipe(0).value();
  rt::Process parent([pipe] {
    rt::Process daemon({.daemon = true}, [pipe] {
      rt::write_text("started", pipe.write, false);
      rt::sleep_for(20s);
    });
    daemon.start().value();
    rt::sleep_for(20s);
  });
  parent.start().value();
  (void)rt::kernel::close_file(pipe.write);
  char text[16];
  CHECK(rt::kernel::read_file(pipe.read, text).value() == 7);
  parent.kill().value();
  const auto begin = rt::Clock::now();
  CHECK(rt::kernel::read_file(pipe.read, text).value() == 0); // nobody has the other end any more
  CHECK(rt::Clock::now() - begin < 10s);
  ends_with(parent, -9);
}

RT_CASE("a lock that another task holds stays locked in the child, and the heap works") {
  rt::Lock lock;
  std::atomic<bool> stop = false;
  rt::Thread holder([&] {
    lock.lock();
    while (!stop) std::make_unique<std::string>(1000, 'x');
    lock.unlock();
  });
  holder.start().value();
  while (!lock.locked()) rt::yield_thread();
  for (int i = 0; i < 30; ++i) {
    rt::Process process([&] {
      std::vector<std::unique_ptr<std::string>> texts;
      for (int n = 0; n < 100; ++n)
        texts.push_back(std::make_unique<std::string>(static_cast<std::size_t>(n) * 100, 'y'));
      return lock.try_lock() ? 1 : 0;
    });
    process.start().value();
    ends_with(process, 0);
  }
  stop = true;
  holder.join();
}

namespace {

// A process that has a child of its own: 0 if that is named as the first one of this process.
int count_anew(const std::string& own_name) {
  rt::Process inner([] {
    const auto text = std::make_unique<std::string>(1000, 'z');
    return text->size() == 1000 ? 7 : 1;
  });
  if (inner.name() != own_name + ":1") return 2;
  inner.start().value();
  inner.join();
  return inner.exit_code() == 7 ? 0 : 3;
}

// One more process of the calling one, the `number`th.
void check_another(int number, const std::string& own_name) {
  const std::string name = own_name + ":" + std::to_string(number);
  rt::Process process([&name] { return count_anew(name); });
  CHECK(process.name() == name);
  process.start().value();
  ends_with(process, 0);
}

} // namespace

RT_CASE("processes have numbers of their own in each process, without threads, beside them and after them") {
  std::string name;
  rt::Process outer([&name] { // a child has one thread, whatever its parent has
    check_another(1, name);
    check_another(2, name);
    std::atomic<bool> stop = false;
    rt::Thread thread([&stop] {
      while (!stop) std::make_unique<std::string>(1000, 'x');
    });
    thread.start().value();
    check_another(3, name);
    stop = true;
    thread.join();
    check_another(4, name);
    return 5;
  });
  name = outer.name();
  outer.start().value();
  ends_with(outer, 5);
}
