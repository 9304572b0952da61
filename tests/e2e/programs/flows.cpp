// Flows that wait for all kinds of things, until SIGTERM lets them go on and end: for reports and debuggers.
//
//   flows                  threads and fibers
//   flows --own-sigquit    the same, with a handler of its own
//   flows --busy           a fiber that keeps its hub for half a second, watched

#include <rt/kernel/signal.hpp>
#include <rt/rt.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>

using namespace std::chrono_literals;
using namespace rt::kernel;

namespace {

rt::FiberOptions named(std::string_view name) { return {.name = name}; }

// Frames to be recognised by.
[[gnu::noinline]] void wait_in_the_holder(rt::Event& event) {
  event.wait();
  asm volatile("");
}
[[gnu::noinline]] void wait_in_the_reader(rt::Queue<int>& queue) {
  (void)queue.get();
  asm volatile("");
}

[[gnu::noinline]] void compute(std::chrono::milliseconds time) {
  const auto end = rt::Clock::now() + time;
  while (rt::Clock::now() < end) {
  }
}

void handle_sigquit() {
  const rt::arch::SignalAction action = rt::arch::signal_action(
      [](int, const siginfo_t*, const rt::arch::SignalFrame*) { rt::println("own handler"); }, 0);
  rt::arch::syscall(__NR_rt_sigaction, SIGQUIT, reinterpret_cast<long>(&action), 0, sizeof(SignalSet));
}

int watch_a_busy_fiber() {
  rt::watch_hubs(50ms).value();
  auto other = rt::spawn(named("other"), [] { rt::sleep_for(10ms); });
  rt::spawn(named("busy"), [] { compute(500ms); }).join();
  other.join();
  rt::println("end");
  return 0;
}

int wait_for_everything() {
  constexpr SignalSet until(Signal::sigterm);
  block_signals(until);

  rt::Event event;
  rt::Lock lock;
  rt::Queue<int> queue;

  auto holder = rt::spawn(named("holder"), [&] {
    const std::lock_guard guard(lock);
    wait_in_the_holder(event);
  });
  rt::yield();
  auto locker = rt::spawn(named("locker"), [&] { const std::lock_guard guard(lock); });
  auto reader = rt::spawn(named("reader"), [&] { wait_in_the_reader(queue); });
  auto sleeper = rt::spawn(named("sleeper"), [&] { return event.wait_for(1h).ok(); });
  rt::Thread plain(rt::ThreadOptions{.name = "plain"}, [&] { event.wait(); });
  rt::Thread other(rt::ThreadOptions{.name = "other"},
                   [&] { rt::spawn(named("remote"), [&] { event.wait(); }).join(); });
  plain.start().value();
  other.start().value();
  rt::sleep_for(100ms);
  auto fresh = rt::spawn(named("fresh"), [] {});
  rt::println("they wait");
  while (!wait_for_signal(until)) { // another signal was handled
  }

  event.set();
  (void)queue.put(1);
  holder.join();
  locker.join();
  reader.join();
  fresh.join();
  const bool in_time = sleeper.join();
  plain.join();
  other.join();
  rt::println("end");
  return in_time ? 7 : 1;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "--busy") return watch_a_busy_fiber();
  if (what == "--own-sigquit") handle_sigquit();
  return wait_for_everything();
}
