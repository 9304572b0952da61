// A message to another process and its answer: Connection against the socket pair under it, and against Python's Pipe.

#include "measure.hpp"

#include <rt/process/connection.hpp>

#include <csignal>
#include <sys/socket.h>
#include <sys/wait.h>

namespace {

constexpr int count = 500; // short turns: a noisy machine changes its speed for longer than one

/// Both ends of one pair, the second in a child that answers until the first is closed.
template <class Ends, class Answer, class Ask> double microseconds(Ends ends, Answer answer, Ask ask) {
  const pid_t child = fork();
  if (child == 0) {
    ends.close_first();
    while (answer(ends)) {
    }
    _exit(0);
  }
  ends.close_second();
  for (int i = 0; i < count / 10; ++i) ask(ends);
  const double begin = bench::seconds();
  for (int i = 0; i < count; ++i) ask(ends);
  const double time = bench::seconds() - begin;
  ends.close_first();
  waitpid(child, nullptr, 0);
  return time / count * 1e6;
}

struct RawEnds {
  int ends[2];
  RawEnds() {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::exit(1);
  }
  void close_first() { close(ends[0]); }
  void close_second() { close(ends[1]); }
};
struct Ends {
  std::pair<rt::Connection, rt::Connection> pipe = rt::make_pipe();
  void close_first() { pipe.first.close(); }
  void close_second() { pipe.second.close(); }
};

/// As many bytes as a message of `size` and its head.
double raw(std::size_t size) {
  std::string buffer(size + 4, 'x');
  const auto pass = [&](int from, int to, bool first) {
    if (first && send(to, buffer.data(), buffer.size(), MSG_NOSIGNAL) < 0) return false;
    for (std::size_t at = 0; at < buffer.size();) {
      const ssize_t got = recv(from, buffer.data() + at, buffer.size() - at, 0);
      if (got <= 0) return false;
      at += static_cast<std::size_t>(got);
    }
    return first || send(to, buffer.data(), buffer.size(), MSG_NOSIGNAL) > 0;
  };
  return microseconds(
      RawEnds(), [&](RawEnds& ends) { return pass(ends.ends[1], ends.ends[1], false); },
      [&](RawEnds& ends) { pass(ends.ends[0], ends.ends[0], true); });
}

double bytes(std::size_t size) {
  const std::string message(size, 'x');
  return microseconds(
      Ends(),
      [](Ends& ends) {
        const auto got = ends.pipe.second.recv_bytes();
        return got && ends.pipe.second.send_bytes(*got);
      },
      [&](Ends& ends) {
        ends.pipe.first.send_bytes(message).value();
        ends.pipe.first.recv_bytes().value();
      });
}

double values() {
  const rt::Value message = {12, rt::Value::Map{{"name", "alice"}}, "hello"};
  return microseconds(
      Ends(),
      [](Ends& ends) {
        const auto got = ends.pipe.second.recv();
        return got && ends.pipe.second.send(*got);
      },
      [&](Ends& ends) {
        ends.pipe.first.send(message).value();
        ends.pipe.first.recv().value();
      });
}

double python(const char* what) {
  return bench::measured_by("/usr/bin/python3 tests/bench/pipe.py " + std::string(what));
}

void compare_all(const char* where) {
  const std::string title = std::string("a message to a process and back, ") + where;
  bench::compare((title + ", 20 bytes").c_str(), "us",
                 {{"socketpair(2)", [] { return raw(20); }},
                  {"Connection, bytes", [] { return bytes(20); }, bench::at_most_of_the_first(1.1)},
                  {"Connection, a Value", values, bench::at_most_of_the_first(1.1)}},
                 101);
  bench::compare((title + ", 20 bytes, in Python").c_str(), "us",
                 {{"Connection, bytes", [] { return bytes(20); }},
                  {"Python Pipe, bytes", [] { return python("20"); }},
                  {"Python Pipe, an object", [] { return python("object"); }}},
                 5);
  bench::compare((title + ", 100 kB").c_str(), "us",
                 {{"socketpair(2)", [] { return raw(100'000); }},
                  {"Connection, bytes", [] { return bytes(100'000); }},
                  {"Python Pipe, bytes", [] { return python("100000"); }}},
                 5);
}

} // namespace

int main() {
  compare_all("on any CPU");
  bench::pin_to_cpu(0);
  compare_all("on one CPU");
}
