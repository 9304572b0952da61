#include "sync_test.hpp"

#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <pty.h>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace sync_test;
using rt::Errc, rt::Fd, rt::File, rt::Open, rt::Pipe;

namespace {

template <class F> void in_thread_and_fiber(F function) {
  Running(function).join();
  rt::spawn(function).join();
}

/// A pipe that blocks, as programs inherit it.
Pipe blocking_pipe() {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

std::string read_some(Fd& fd) {
  char buffer[64];
  const auto got = fd.read(buffer);
  CHECK(got.ok());
  return std::string(buffer, got.value_or(0u));
}

struct TemporaryFile {
  std::string path = "/tmp/rt-fd-test-XXXXXX";

  TemporaryFile() { close(mkstemp(path.data())); }
  ~TemporaryFile() { unlink(path.c_str()); }
};

} // namespace

TEST_CASE("a pipe is read in a fiber while another one writes, whether the kernel would block or not") {
  for (const bool blocks : {false, true}) {
    Pipe pipe = blocks ? blocking_pipe() : Pipe::make().value();
    const std::string sent(1'000'000, 'p');
    auto writer = rt::spawn([&] {
      CHECK(pipe.write.write(sent));
      pipe.write.close();
    });
    std::string received(sent.size(), '?');
    CHECK(pipe.read.read_exactly(received));
    CHECK(received == sent);
    char more[1];
    CHECK(pipe.read.read(more).value_or(1) == 0);
    CHECK(pipe.read.read_exactly(more).error() == Errc::end_of_file);
    writer.join();
  }
}

TEST_CASE("a descriptor is read by a thread until its time is over") {
  for (const bool blocks : {false, true}) {
    Pipe pipe = blocks ? blocking_pipe() : Pipe::make().value();
    in_thread_and_fiber([&] {
      char buffer[10];
      {
        const rt::Timeout limit(moment);
        CHECK(pipe.read.read(buffer).error() == Errc::timed_out);
      }
      CHECK(pipe.write.write("x"));
      CHECK(read_some(pipe.read) == "x");
      const rt::Timeout limit(moment);
      CHECK(pipe.write.write(std::string(1'000'000, 'y')).error() == Errc::timed_out);
      while (rt::wait_until_ready(pipe.read.number(), rt::Ready::read, rt::Deadline::at(0))) (void)read_some(pipe.read);
    });
  }
}

TEST_CASE("non-blocking mode of a descriptor, whatever the kernel's is") {
  for (const bool blocks : {false, true}) {
    Pipe pipe = blocks ? blocking_pipe() : Pipe::make().value();
    in_thread_and_fiber([&] {
      char buffer[10];
      pipe.read.set_nonblocking(true);
      CHECK(pipe.read.read(buffer).error() == Errc::would_block);
      pipe.write.set_nonblocking(true);
      const std::string much(10'000, 'x');
      rt::Result<std::size_t> put = 0;
      std::size_t total = 0;
      while ((put = pipe.write.write_some(much))) total += *put;
      CHECK(put.error() == Errc::would_block);
      while (total > 0) total -= read_some(pipe.read).size();
      CHECK(pipe.read.read(buffer).error() == Errc::would_block);
    });
    CHECK(((fcntl(pipe.read.number(), F_GETFL) & O_NONBLOCK) != 0) == !blocks); // as it was
  }
}

TEST_CASE("a pipe without a reader is broken, and the program goes on") {
  const auto child = in_child([] {
    Pipe pipe = Pipe::make().value();
    pipe.read.close();
    const bool broken = pipe.write.write("x").error() == Errc::broken_pipe;
    struct sigaction action;
    sigaction(SIGPIPE, nullptr, &action);
    return broken && action.sa_handler != SIG_IGN; // which would be inherited
  });
  CHECK(child.exited_with(0));
}

TEST_CASE("a program's own action for broken pipes stays") {
  const auto child = in_child([] {
    signal(SIGPIPE, [](int) { _exit(42); });
    Pipe pipe = Pipe::make().value();
    pipe.read.close();
    return pipe.write.write("x").ok();
  });
  CHECK(child.exited_with(42));
}

const bool no_terminals = access("/dev/pts/ptmx", F_OK) != 0; // as below a root directory of one's own

TEST_CASE("a terminal is waited for by the fiber alone" * doctest::skip(no_terminals) *
          doctest::description("/dev/pts is not mounted")) {
  int master, slave;
  REQUIRE(openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  Fd keyboard(master), terminal(slave);
  auto reader = rt::spawn([&] { return read_some(terminal); });
  rt::sleep_for(1ms);
  CHECK_FALSE(reader.done());
  CHECK(keyboard.write("line\n"));
  CHECK(reader.join() == "line\n");
}

TEST_CASE("another name of a descriptor is closed on its own") {
  Pipe pipe = Pipe::make().value();
  Fd copy = pipe.write.duplicate().value();
  CHECK((fcntl(copy.number(), F_GETFD) & FD_CLOEXEC) != 0);
  pipe.write.close();
  CHECK(copy.write("still there"));
  copy.close();
  CHECK(read_some(pipe.read) == "still there");
  CHECK(read_some(pipe.read) == "");
  CHECK(copy.write("x").error() == Errc::bad_file_descriptor);
  CHECK(Fd().duplicate().error() == Errc::bad_file_descriptor);
}

TEST_CASE("files are written, read, moved in, and cut") {
  in_thread_and_fiber([] {
    const TemporaryFile temporary;
    {
      File file = File::open(temporary.path, Open::write).value();
      CHECK(file.write("0123456789"));
      CHECK(file.sync());
      CHECK(file.size().value_or(0) == 10);
    }
    File file = File::open(temporary.path, Open::update).value();
    CHECK((fcntl(file.number(), F_GETFD) & FD_CLOEXEC) != 0);
    char buffer[20];
    CHECK(file.read_at(std::span(buffer, 4), 3).value_or(0) == 4);
    CHECK(std::string_view(buffer, 4) == "3456");
    CHECK(file.read_at(buffer, 8).value_or(0) == 2);
    CHECK(file.read_at(buffer, 100).value_or(1) == 0);
    CHECK(file.write_at(std::string_view("ab"), 1));
    CHECK(read_some(file) == "0ab3456789");
    CHECK(file.seek(-3, File::From::end).value_or(0) == 7);
    CHECK(read_some(file) == "789");
    CHECK(file.seek(-1).error() == Errc::invalid_argument);
    CHECK(file.resize(2));
    CHECK(file.seek(0).value_or(1) == 0);
    CHECK(read_some(file) == "0a");
    File append = File::open(temporary.path, Open::append).value();
    CHECK(append.write("!"));
    CHECK(file.size().value_or(0) == 3);
    CHECK(File::open(temporary.path, Open::write_new).error() == Errc::file_exists);
  });
  CHECK(File::open("/no/such/file").error() == Errc::no_such_file_or_directory);
  CHECK(File::open("/", Open::write).error() == Errc::is_a_directory);
  CHECK(File::open(std::string(5000, 'x')).error() == Errc::filename_too_long);
  CHECK(File::open(std::string_view("a\0b", 3)).error() == Errc::invalid_argument);
  Pipe pipe = Pipe::make().value();
  CHECK(File(std::move(pipe.read)).seek(0).error() == Errc::invalid_seek);
}

TEST_CASE("nothing is read where there is no descriptor") {
  Fd none;
  char buffer[1];
  CHECK_FALSE(none);
  CHECK(none.read(buffer).error() == Errc::bad_file_descriptor);
  rt::spawn([&] { CHECK(none.read(buffer).error() == Errc::bad_file_descriptor); }).join();
}
