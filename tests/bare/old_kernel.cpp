// What newer kernels have and Linux 5.10 has not is made to fail as it does there, and as in containers that forbid it.

#include "check.hpp"

#include <rt/hub/io_uring_poller.hpp>
#include <rt/io/aio.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/rt.hpp>

#include <cstddef>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

using namespace std::chrono_literals;
using rt::Errc, rt::Ready, rt::UnixStream, rt::Clock;

namespace {

constexpr auto generous = 30s;

/// From now on the system call fails with the error, in this thread and those that it starts. A kernel that knows no
/// filters, as an emulated one, is taken if it does not know the call either.
void forbid(long call, Errc error) {
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{std::size(code), code};
  CHECK(rt::arch::syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  const long filtered =
      rt::arch::syscall(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, reinterpret_cast<long>(&program));
  const long result = rt::arch::syscall(call, -1, 0, 0, 0, 0, 0);
  CHECK(result == -static_cast<long>(filtered == 0 ? error : Errc::function_not_supported));
}

constexpr const char* const by_epoll[] = {"RT_ENGINE=epoll", nullptr};
constexpr const char* const by_io_uring[] = {"RT_ENGINE=io_uring", nullptr};

std::chrono::nanoseconds cpu_time() {
  constexpr long of_this_thread = 3; // CLOCK_THREAD_CPUTIME_ID
  rt::KernelTime time{};
  CHECK(rt::arch::syscall(__NR_clock_gettime, of_this_thread, reinterpret_cast<long>(&time)) == 0);
  return std::chrono::seconds(time.seconds) + std::chrono::nanoseconds(time.nanoseconds);
}

/// A hub sleeps for a descriptor: as long as it should, without a spin, and until something wakes it.
void sleep_for_descriptors() {
  rt::kernel::set_environment(by_epoll);
  auto [here, there] = UnixStream::pair().value();
  rt::spawn([&stream = here, &peer = there] {
    for (const auto time : {1us, 300us, 1500us, 200'000us}) {
      const auto begin = Clock::now();
      const auto used = cpu_time();
      CHECK(rt::wait_until_ready(stream.number(), Ready::read, rt::Deadline::after(time)).error() == Errc::timed_out);
      CHECK(Clock::now() - begin >= time);
      if (time == 200'000us) CHECK(cpu_time() - used < time / 2);
    }
    auto writer = rt::spawn([&peer] {
      rt::sleep_for(2ms);
      CHECK(peer.write("x"));
    });
    char buffer[1];
    CHECK(stream.read(buffer).value() == 1);
    writer.join();

    // Another thread wakes it.
    auto reader = rt::spawn([&stream] {
      char more[1];
      CHECK(stream.read(more).error() == Errc::canceled);
    });
    rt::Event event;
    rt::Thread thread([&event] {
      rt::sleep_for(5ms);
      event.set();
    });
    thread.start().value();
    CHECK(event.wait_for(generous));
    thread.join();
    reader.cancel();
    reader.join();
    CHECK(rt::hub_info().engine == "epoll");
  }).join();
}

/// The same of a selector.
void select_for_a_while() {
  auto [here, there] = UnixStream::pair().value();
  rt::EpollSelector selector;
  selector.register_(here.number(), rt::Ready::read).value();
  const auto begin = Clock::now();
  CHECK(selector.select(1500us).value().empty());
  CHECK(Clock::now() - begin >= 1500us);
  CHECK(there.write("x"));
  CHECK(selector.select(generous).value().size() == 1);
}

/// Reads from and writes to a pipe that is blocking, by threads.
void read_and_write_a_pipe() {
  int ends[2];
  CHECK(rt::arch::syscall(__NR_pipe2, reinterpret_cast<long>(ends), 0) == 0);
  const rt::Fd out(ends[0]), in(ends[1]);
  auto io = rt::aio::Context::open({.engine = rt::aio::Engine::threads}).value();
  char buffer[16];
  auto read = rt::aio::read(out.number(), buffer);
  io.submit(read).value();
  CHECK(read.wait_for(5ms).error() == Errc::timed_out);
  auto write = rt::aio::write(in.number(), std::string_view("hello"));
  io.submit(write).value();
  CHECK(write.wait_for(generous).value() == 5);
  CHECK(read.wait_for(generous).value() == 5);
  CHECK(std::string_view(buffer, 5) == "hello");
}

/// A hub that is told to use io_uring says that it cannot, and the program ends.
void wait_by_io_uring() {
  rt::kernel::set_environment(by_io_uring);
  CHECK(!rt::hub::IoUringPoller::available());
  auto [here, there] = UnixStream::pair().value();
  rt::spawn([&stream = here] { (void)rt::wait_until_ready(stream.number(), Ready::read); }).join();
}

void check_that_aio_is_by_threads() {
  CHECK(!rt::aio::Context::open({.engine = rt::aio::Engine::io_uring}));
  CHECK(rt::aio::Context::open().value().engine() == "threads");
}

} // namespace

RT_CASE("a hub sleeps and wakes on time where there is no epoll_pwait2") {
  forbid(__NR_epoll_pwait2, Errc::function_not_supported);
  sleep_for_descriptors();
}
RT_CASE("a hub sleeps and wakes on time where epoll_pwait2 is forbidden") {
  forbid(__NR_epoll_pwait2, Errc::operation_not_permitted);
  sleep_for_descriptors();
}
RT_CASE("a selector waits as long as it is told where there is no epoll_pwait2") {
  forbid(__NR_epoll_pwait2, Errc::function_not_supported);
  select_for_a_while();
}
RT_CASE("threads read from and write to pipes of which the kernel cannot be told not to wait") {
  forbid(__NR_preadv2, Errc::operation_not_supported);
  forbid(__NR_pwritev2, Errc::operation_not_supported);
  read_and_write_a_pipe();
}

// Linux 5.10 does not know the flags that a hub makes its ring with; containers forbid one of the calls, or all.
RT_CASE_ENDS("a kernel that does not know a hub's kind of ring", bare::by_exit(2), "RT_ENGINE=io_uring: ") {
  forbid(__NR_io_uring_setup, Errc::invalid_argument);
  wait_by_io_uring();
}
RT_CASE_ENDS("a kernel without io_uring", bare::by_exit(2), "RT_ENGINE=io_uring: ") {
  forbid(__NR_io_uring_setup, Errc::function_not_supported);
  wait_by_io_uring();
}
RT_CASE_ENDS("a container that forbids to use a ring", bare::by_exit(2), "RT_ENGINE=io_uring: ") {
  forbid(__NR_io_uring_enter, Errc::operation_not_permitted);
  wait_by_io_uring();
}
RT_CASE("asynchronous operations are carried out by threads where io_uring is missing") {
  forbid(__NR_io_uring_setup, Errc::function_not_supported);
  check_that_aio_is_by_threads();
}
RT_CASE("asynchronous operations are carried out by threads where io_uring is forbidden") {
  forbid(__NR_io_uring_enter, Errc::operation_not_permitted);
  check_that_aio_is_by_threads();
}
