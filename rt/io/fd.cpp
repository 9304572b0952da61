#include <rt/io/fd.hpp>

#include <rt/io/all_bytes.hpp>
#include <rt/io/broken_pipe.hpp>
#include <rt/sync/waiter.hpp>

#include <linux/fcntl.h>

#include <algorithm>

namespace rt {
namespace {

// A pipe that is ready for writing takes at least so much (PIPE_BUF).
constexpr std::size_t always_taken = 4096;

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

Result<void> Fd::read_exactly(std::span<char> buffer) { return read_all_bytes(*this, buffer); }

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

Result<void> Fd::write(std::span<const char> bytes) { return write_all_bytes(*this, bytes); }

Result<Pipe> Pipe::make() {
  const Result<kernel::PipeEnds> ends = kernel::make_pipe(O_CLOEXEC | O_NONBLOCK);
  if (!ends) return ends.error();
  return Pipe{Fd(ends->read), Fd(ends->write)};
}

} // namespace rt
