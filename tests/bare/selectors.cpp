// Selectors, signals as events and asynchronous operations without libc: what depends on the CPU is the layout of
// epoll's events, the frame of a signal handler, and the order of memory between the kernel's rings and this side.

#include "check.hpp"

#include <rt/io/aio.hpp>
#include <rt/io/selectors.hpp>
#include <rt/io/signal_events.hpp>
#include <rt/kernel/process.hpp>
#include <rt/kernel/signal_driven.hpp>
#include <rt/kernel/signal_handler.hpp>

#include <array>
#include <atomic>
#include <linux/fcntl.h>
#include <memory>
#include <vector>

using namespace std::chrono_literals;
using rt::Errc, rt::Ready;
namespace aio = rt::aio;

namespace {

constexpr auto generous = 20s;

struct Pipe {
  Pipe() {
    const auto ends = rt::kernel::make_pipe(O_CLOEXEC | O_NONBLOCK).value();
    out = rt::Fd(ends.read);
    in = rt::Fd(ends.write);
  }
  void put(std::string_view text) { CHECK(rt::kernel::write_file(in.number(), text).value() == text.size()); }
  rt::Fd out, in;
};

template <class Selector> void check_selector() {
  std::vector<Pipe> pipes(20);
  Selector selector;
  for (std::size_t i = 0; i < pipes.size(); ++i)
    CHECK(selector.register_(pipes[i].out, Ready::read, [i, &pipes](const rt::SelectorKey& key, Ready events) {
      CHECK(events == Ready::read && key.fd == pipes[i].out.number());
      char byte;
      CHECK(rt::kernel::read_file(key.fd, {&byte, 1}).value() == 1 && byte == static_cast<char>('a' + i));
    }));
  CHECK(selector.select(0s).value().empty());
  for (std::size_t i = 0; i < pipes.size(); i += 2) {
    const char letter = static_cast<char>('a' + i);
    pipes[i].put({&letter, 1});
  }
  const auto events = selector.select(generous).value();
  CHECK(events.size() == 10);
  for (const auto& event : events) CHECK(event.call());
  CHECK(selector.select(5ms).value().empty());
  auto fiber = rt::spawn([&] { return selector.select(generous).value().size(); });
  rt::yield();
  pipes[3].put("d");
  CHECK(fiber.join() == 1);
}

void check_aio(aio::Engine engine) {
  auto io = aio::Context::open({.engine = engine, .entries = 4});
  if (!io && engine == aio::Engine::io_uring) return rt::println("  io_uring is not allowed here: {}", io.error());
  std::vector<Pipe> pipes(20);
  std::vector<std::unique_ptr<aio::Operation>> reads;
  std::vector<aio::Operation*> all;
  std::array<std::array<char, 4>, 20> buffers;
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    reads.emplace_back(new aio::Operation(aio::read(pipes[i].out.number(), buffers[i])));
    all.push_back(reads.back().get());
  }
  for (int round = 0; round < 20; ++round) {
    CHECK(io->submit(all));
    for (std::size_t i = pipes.size(); i-- > 0;) pipes[i].put("data");
    for (std::size_t i = 0; i < pipes.size(); ++i) CHECK(io->next_for(generous).value()->result().value() == 4);
    for (const auto& buffer : buffers) CHECK(std::string_view(buffer.data(), 4) == "data");
  }
  CHECK(io->submit(all));
  for (aio::Operation* operation : all) operation->cancel();
  for (aio::Operation* operation : all) CHECK(operation->wait_for(generous).error() == Errc::canceled);
}

constinit std::atomic<int> handled = 0;

} // namespace

RT_CASE("a SelectSelector tells which descriptors are ready") { check_selector<rt::SelectSelector>(); }
RT_CASE("a PollSelector tells which descriptors are ready") { check_selector<rt::PollSelector>(); }
RT_CASE("an EpollSelector tells which descriptors are ready") { check_selector<rt::EpollSelector>(); }

RT_CASE("asynchronous reads by threads complete") { check_aio(aio::Engine::threads); }
RT_CASE("asynchronous reads by io_uring complete") { check_aio(aio::Engine::io_uring); }

RT_CASE("a signal is an event") {
  auto signals = rt::SignalEvents::open(rt::SignalSet(rt::Signal::sigusr1, rt::Signal::sigterm)).value();
  auto fiber = rt::spawn([&] { return signals.wait_for(generous).value().signal; });
  rt::yield();
  CHECK(rt::kernel::send_signal(rt::kernel::process_id(), rt::Signal::sigterm));
  CHECK(fiber.join() == rt::Signal::sigterm);
}

RT_CASE("a handler returns to where the signal came") {
  CHECK(rt::kernel::handle_signal(rt::Signal::sigusr1, [](rt::Signal signal) { handled += static_cast<int>(signal); }));
  for (int i = 0; i < 100; ++i) CHECK(rt::kernel::send_signal(rt::kernel::process_id(), rt::Signal::sigusr1));
  CHECK(handled == 100 * static_cast<int>(rt::Signal::sigusr1));
}

RT_CASE("the kernel sends a signal when something has come") {
  CHECK(rt::kernel::handle_signal(rt::Signal::sigio, [](rt::Signal) { ++handled; }));
  Pipe pipe;
  CHECK(rt::kernel::signal_when_ready(pipe.out.number(), rt::Signal::sigio));
  pipe.put("x");
  for (const auto limit = rt::Deadline::after(generous); handled == 0 && !limit.passed();) rt::sleep_for(1ms);
  CHECK(handled > 0);
}

RT_CASE_ENDS("SIGTERM ends a server gracefully", bare::by_exit(7)) {
  Pipe pipe;
  const auto signal = rt::run_until_signal([&] {
    CHECK(rt::kernel::send_signal(rt::kernel::process_id(), rt::Signal::sigterm));
    CHECK(rt::wait_until_ready(pipe.out.number(), Ready::read).error() == Errc::canceled);
  });
  CHECK(signal && *signal == rt::Signal::sigterm);
  rt::arch::syscall(__NR_exit_group, 7);
}
