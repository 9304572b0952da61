#include <rt/io/fd.hpp>

#include <rt/kernel/signal.hpp>
#include <rt/sync/waiter.hpp>

#include <arch/registers.hpp>
#include <arch/syscall.hpp>
#include <linux/fcntl.h>

#include <algorithm>

namespace rt {
namespace {

// A pipe that is ready for writing takes at least so much (PIPE_BUF).
constexpr std::size_t always_taken = 4096;

constinit Atomic<std::uint32_t> survives_broken_pipes = 0;

// Not SIG_IGN, which programs that are executed later would inherit.
void survive_broken_pipes() {
  if (survives_broken_pipes.load(std::memory_order_relaxed)) return;
  constexpr auto do_nothing = [](int, const siginfo_t*, const arch::SignalFrame*) {};
  constexpr auto sigpipe = static_cast<long>(kernel::Signal::sigpipe);
  constexpr long set_size = sizeof(kernel::SignalSet);
  kernel::SignalAction before;
  arch::syscall(__NR_rt_sigaction, sigpipe, 0, reinterpret_cast<long>(&before), set_size);
  const arch::SignalAction action = arch::signal_action(do_nothing, SA_RESTART | SA_ONSTACK);
  if (before.handler == kernel::SignalAction::by_default().handler)
    arch::syscall(__NR_rt_sigaction, sigpipe, reinterpret_cast<long>(&action), 0, set_size);
  survives_broken_pipes.store(1, std::memory_order_relaxed);
}

bool nothing_limits_thread() { return !hub::running_flow && current_task().limit == 0; }

} // namespace

Result<Fd> Fd::duplicate() const {
  const Result<int> copy = kernel::duplicate(number_);
  if (!copy) return copy.error();
  Fd made(*copy);
  made.nonblocking_ = nonblocking_;
  return made;
}

bool Fd::kernel_waits() {
  if (kernel_waits_ == Known::not_yet) kernel_waits_ = kernel::is_nonblocking(number_) ? Known::no : Known::yes;
  return kernel_waits_ == Known::yes;
}

Errc Fd::wait(Ready events) {
  const Result<Ready> ready = wait_until_ready(number_, events, nonblocking_ ? Deadline::at(0) : Deadline());
  return nonblocking_ && ready.error() == Errc::timed_out ? Errc::would_block : ready.error().code;
}

Result<std::size_t> Fd::read(std::span<char> buffer) {
  bool wait_first = kernel_waits() && (nonblocking_ || !nothing_limits_thread());
  for (;;) {
    if (wait_first)
      if (const Errc code = wait(Ready::read); code != Errc::none) return code;
    const Result<std::size_t> got = kernel::read_file(number_, buffer);
    if (got || (got.error() != Errc::interrupted && (got.error() != Errc::would_block || nonblocking_))) return got;
    wait_first = wait_first || got.error() == Errc::would_block;
  }
}

Result<void> Fd::read_exactly(std::span<char> buffer) {
  while (!buffer.empty()) {
    const Result<std::size_t> got = read(buffer);
    if (!got) return got.error();
    if (*got == 0) return Errc::end_of_file;
    buffer = buffer.subspan(*got);
  }
  return {};
}

Result<std::size_t> Fd::write_some(std::span<const char> bytes) {
  survive_broken_pipes();
  const bool piecemeal = kernel_waits() && (nonblocking_ || !nothing_limits_thread());
  bool wait_first = piecemeal;
  for (;;) {
    if (wait_first)
      if (const Errc code = wait(Ready::write); code != Errc::none) return code;
    const Result<std::size_t> put =
        kernel::write_file(number_, piecemeal ? bytes.first(std::min(bytes.size(), always_taken)) : bytes);
    if (put || (put.error() != Errc::interrupted && (put.error() != Errc::would_block || nonblocking_))) return put;
    wait_first = wait_first || put.error() == Errc::would_block;
  }
}

Result<void> Fd::write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const Result<std::size_t> put = write_some(bytes);
    if (!put) return put.error();
    bytes = bytes.subspan(*put);
  }
  return {};
}

Result<Pipe> Pipe::make() {
  const Result<kernel::PipeEnds> ends = kernel::make_pipe(O_CLOEXEC | O_NONBLOCK);
  if (!ends) return ends.error();
  return Pipe{Fd(ends->read), Fd(ends->write)};
}

} // namespace rt
