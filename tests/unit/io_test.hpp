#pragma once
// What the tests of input and output share.

#include <rt/hub/fiber.hpp>
#include <rt/io/fd.hpp>
#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace io_test {

/// Runs the function in a thread that has no fibers, and once more in a fiber beside another one, which must not be
/// kept from running.
template <class F> void in_thread_and_in_fiber(F function) {
  SUBCASE("in a thread") {
    rt::Thread thread(function);
    thread.start().value();
    thread.join();
  }
  SUBCASE("in a fiber") {
    rt::Thread thread([function] {
      bool done = false;
      auto other = rt::spawn([&] {
        int turns = 0;
        for (; !done; ++turns) rt::sleep_for(std::chrono::milliseconds(1));
        return turns;
      });
      auto fiber = rt::spawn(function);
      fiber.join();
      done = true;
      CHECK(other.join() > 0);
    });
    thread.start().value();
    thread.join();
  }
}

struct Pair {
  rt::Fd a, b;
};

inline Pair make_pipe() { // a reads, b writes
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  return {rt::Fd(ends[0]), rt::Fd(ends[1])};
}

inline Pair make_sockets() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  return {rt::Fd(ends[0]), rt::Fd(ends[1])};
}

inline void send_text(const rt::Fd& to, std::string_view text) {
  REQUIRE(write(to.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

inline std::string receive_text(const rt::Fd& from) {
  char buffer[100];
  const ssize_t size = read(from.number(), buffer, sizeof buffer);
  return size < 0 ? "error" : std::string(buffer, static_cast<std::size_t>(size));
}

/// Writes until there is no room any more.
inline void fill(const rt::Fd& to) {
  const std::string block(4096, 'x');
  while (write(to.number(), block.data(), block.size()) > 0) {
  }
}

} // namespace io_test
