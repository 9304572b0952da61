#include "io_test.hpp"

#include <rt/hub/timeout.hpp>
#include <rt/io/selectors.hpp>
#include <rt/io/signal_events.hpp>
#include <rt/kernel/signal_driven.hpp>
#include <rt/kernel/signal_handler.hpp>
#include <rt/sync/event.hpp>

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace io_test;
using rt::Errc;
using rt::Signal;
using rt::SignalEvents;
using rt::SignalSet;

namespace {

// Long enough for anything that is going to happen on a busy machine.
constexpr auto generous = 30s;

bool blocked(int signal) {
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, nullptr, &set);
  return sigismember(&set, signal) == 1;
}

// To the calling thread, as that of the process goes to any thread that has not blocked it.
void raise_here(int signal) { pthread_kill(pthread_self(), signal); }

} // namespace

TEST_CASE("a signal is taken by whoever waits for it, and has no other effect") {
  in_thread_and_in_fiber([] {
    auto signals = SignalEvents::open(SignalSet(Signal::sigusr1, Signal::sigusr2)).value();
    CHECK(signals.try_wait().error() == Errc::would_block);
    raise_here(SIGUSR2); // would kill the process
    const auto info = signals.wait().value();
    CHECK(info.signal == Signal::sigusr2);
    CHECK(info.sender == getpid());
    CHECK(info.user == getuid());
    raise_here(SIGUSR1);
    CHECK(signals.wait_for(generous).value().signal == Signal::sigusr1);
    CHECK(signals.try_wait().error() == Errc::would_block);
  });
}

TEST_CASE("who waits for a signal sleeps until it comes") {
  in_thread_and_in_fiber([] {
    auto signals = SignalEvents::open(SignalSet(Signal::sigusr1)).value();
    rt::Thread sender([to = pthread_self()] {
      rt::sleep_for(20ms);
      pthread_kill(to, SIGUSR1);
    });
    sender.start().value();
    CHECK(signals.wait_for(generous).value().signal == Signal::sigusr1);
    sender.join();
  });
}

TEST_CASE("waiting for a signal ends when the time is over, and by a Timeout") {
  in_thread_and_in_fiber([] {
    auto signals = SignalEvents::open(SignalSet(Signal::sigusr1)).value();
    CHECK(signals.wait_for(10ms).error() == Errc::timed_out);
    const rt::Timeout limit(10ms);
    CHECK(signals.wait().error() == Errc::timed_out);
  });
}

TEST_CASE("a fiber that waits for a signal can be canceled") {
  auto signals = SignalEvents::open(SignalSet(Signal::sigusr1)).value();
  auto fiber = rt::spawn([&] { return signals.wait().error().code; });
  rt::sleep_for(2ms);
  fiber.cancel();
  CHECK(fiber.join() == Errc::canceled);
}

TEST_CASE("signals are blocked as long as somebody takes them, and those that were blocked stay so") {
  REQUIRE_FALSE(blocked(SIGUSR1));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  {
    auto signals = SignalEvents::open(SignalSet(Signal::sigusr1, Signal::sigusr2)).value();
    CHECK(blocked(SIGUSR1));
    const auto moved = std::move(signals);
    CHECK(blocked(SIGUSR1));
    CHECK_FALSE(blocked(SIGHUP));
  }
  CHECK_FALSE(blocked(SIGUSR1));
  CHECK(blocked(SIGUSR2));
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TEST_CASE("a selector waits for signals among other things") {
  auto signals = SignalEvents::open(SignalSet(Signal::sigusr1)).value();
  auto [a, b] = make_sockets();
  rt::DefaultSelector selector;
  CHECK(selector.register_(signals, rt::Ready::read));
  CHECK(selector.register_(a, rt::Ready::read));
  CHECK(selector.select(0s).value().empty());
  raise_here(SIGUSR1);
  const auto events = selector.select(generous).value();
  REQUIRE(events.size() == 1);
  CHECK(events[0].key.fd == signals.number());
  CHECK(signals.try_wait());
}

TEST_CASE("SIGTERM cancels the server, which can still finish what it has begun") {
  auto child = fork();
  if (child == 0) {
    alarm(30);
    bool canceled = false, finished = false;
    const auto signal = rt::run_until_signal([&] {
      auto request = rt::spawn([&] {
        rt::sleep_for(20ms);
        finished = true;
      });
      kill(getpid(), SIGTERM);
      canceled = rt::wait_until_ready(make_sockets().a.number(), rt::Ready::read).error() == Errc::canceled;
      request.join();
    });
    _exit(canceled && finished && signal && *signal == Signal::sigterm && !blocked(SIGTERM) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("a server that ends by itself is not waited for any longer, and signals have their usual effect again") {
  bool served = false;
  const auto signal = rt::run_until_signal([&] {
    CHECK(blocked(SIGINT));
    served = true;
  });
  REQUIRE(signal);
  CHECK_FALSE(signal->has_value());
  CHECK(served);
  CHECK_FALSE(blocked(SIGINT));
}

TEST_CASE("a second SIGINT ends a server that takes its time") {
  auto child = fork();
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL); // the usual effect here would be a report of a failed test
    alarm(30);
    (void)rt::run_until_signal([&] {
      kill(getpid(), SIGINT);
      (void)rt::wait_until_ready(make_sockets().a.number(), rt::Ready::read);
      kill(getpid(), SIGINT);
      rt::Event never;
      never.wait();
    });
    _exit(1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("a handler is called with its signal, and the action before can be put back") {
  static std::atomic<int> seen = 0;
  const auto before =
      rt::kernel::handle_signal(Signal::sigusr1, [](Signal signal) { seen = static_cast<int>(signal); });
  REQUIRE(before);
  raise_here(SIGUSR1);
  CHECK(seen == SIGUSR1);
  rt::kernel::set_signal_action(Signal::sigusr1, *before);
  CHECK(rt::kernel::handle_signal(Signal::sigkill, [](Signal) {}).error() == Errc::invalid_argument);
  CHECK(rt::kernel::handle_signal(static_cast<Signal>(65), [](Signal) {}).error() == Errc::invalid_argument);
}

TEST_CASE("the kernel sends a signal when a descriptor becomes ready, and says which") {
  std::signal(40, SIG_IGN); // one that is still pending in the end
  auto signals = SignalEvents::open(SignalSet(static_cast<Signal>(40))).value();
  auto [a, b] = make_pipe();
  auto [c, d] = make_sockets();
  for (const rt::Fd* each : {&a, &c}) CHECK(rt::kernel::signal_when_ready(each->number(), static_cast<Signal>(40)));
  CHECK(signals.try_wait().error() == Errc::would_block);
  send_text(b, "x");
  CHECK(signals.wait_for(generous).value().descriptor == a.number());
  send_text(d, "x");
  CHECK(signals.wait_for(generous).value().descriptor == c.number());
}
