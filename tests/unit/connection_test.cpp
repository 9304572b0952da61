#include <rt/process/connection.hpp>

#include "sync_test.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/process/cbor.hpp>

#include <fcntl.h>
#include <sys/socket.h>

using namespace sync_test;
using rt::Connection, rt::Errc, rt::Value;
using namespace std::literals;

namespace {

struct Pipe {
  Connection a, b;
  explicit Pipe(bool duplex = true) { std::tie(a, b) = rt::make_pipe(duplex); }
};

/// What is repeated has a prime length, which no buffer's size is a multiple of.
std::string pattern(std::size_t size) {
  static const std::string repeated = [] {
    std::string text(65'537, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
    return text;
  }();
  std::string text;
  text.reserve(size);
  while (text.size() < size) text.append(repeated, 0, size - text.size());
  return text;
}

void send_raw(Connection& connection, std::string_view bytes) {
  REQUIRE(::send(connection.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

} // namespace

TEST_CASE("values go through a pipe in both directions, in their order") {
  Pipe pipe;
  const Value message = {12, Value::Map{{"name", "alice"}}, "hello"};
  CHECK(pipe.a.send(message).ok());
  CHECK(pipe.a.send(nullptr).ok());
  CHECK(pipe.b.send("good morning!").ok());
  CHECK(pipe.b.recv().value() == message);
  CHECK(pipe.b.recv().value().is_null());
  CHECK(pipe.a.recv().value() == "good morning!");
}

TEST_CASE("a pipe that is not duplex goes from the second end to the first") {
  Pipe pipe(false);
  CHECK(pipe.b.send(1).ok());
  CHECK(pipe.a.recv().value() == 1);
  CHECK(pipe.a.send(1).error() == Errc::bad_file_descriptor);
  CHECK(pipe.b.recv().error() == Errc::bad_file_descriptor);
  CHECK(pipe.b.poll().error() == Errc::bad_file_descriptor);
}

// A sanitizer has to fill the shadow of each copy.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t largest = 4 << 20;
#else
constexpr std::size_t largest = 64 << 20;
#endif

TEST_CASE("bytes of any size go through a pipe, 64 MiB as well") {
  Pipe pipe;
  const std::size_t sizes[] = {0, 1, 4, 100, 4095, 4096, 65'536, 300'000, 1, largest, 0, 5};
  const std::string longest = pattern(largest);
  const auto of_size = [&](std::size_t size) { return std::string_view(longest).substr(0, size); };
  Running sender([&] {
    for (const std::size_t size : sizes) CHECK(pipe.a.send_bytes(of_size(size)).ok());
    CHECK(pipe.a.send(Value::bytes(longest)).ok());
  });
  for (const std::size_t size : sizes) {
    const auto bytes = pipe.b.recv_bytes();
    REQUIRE(bytes.ok());
    CHECK((*bytes == of_size(size)));
  }
  const auto value = pipe.b.recv();
  REQUIRE(value.ok());
  CHECK((value->bytes() == longest));
  CHECK(pipe.b.poll().value() == false);
}

TEST_CASE("messages that arrive cut anywhere are put together") {
  Pipe pipe;
  std::string stream;
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < 200; ++i) {
    messages.push_back(pattern(i * 37 % 900));
    const auto size = messages.back().size();
    stream += {'\0', '\0', static_cast<char>(size >> 8), static_cast<char>(size)};
    stream += messages.back();
  }
  Running sender([&] {
    for (std::size_t at = 0, piece = 1; at < stream.size(); at += piece, piece = piece % 700 + 13)
      send_raw(pipe.a, std::string_view(stream).substr(at, piece));
  });
  for (const auto& message : messages) CHECK(pipe.b.recv_bytes().value() == message);
}

TEST_CASE("after what the peer had sent comes the end, also if it had not read all") {
  for (const bool unread : {false, true}) {
    Pipe pipe;
    if (unread) CHECK(pipe.b.send("never read").ok());
    CHECK(pipe.a.send(1).ok());
    pipe.a.close();
    CHECK(!pipe.a.is_open());
    CHECK(pipe.b.poll().value());
    CHECK(pipe.b.recv().value() == 1);
    CHECK(pipe.b.poll().value());
    CHECK(pipe.b.recv().error() == Errc::end_of_file);
    CHECK(pipe.b.recv().error() == Errc::end_of_file);
    CHECK(pipe.b.send(2).error() == Errc::broken_pipe);
    CHECK(pipe.a.recv().error() == Errc::bad_file_descriptor);
    CHECK(pipe.a.send(1).error() == Errc::bad_file_descriptor);
    CHECK(pipe.a.poll().error() == Errc::bad_file_descriptor);
  }
}

TEST_CASE("a peer that is killed in the middle of a message leaves the end") {
  Pipe pipe;
  {
    Child child([&] {
      pipe.a.close();
      (void)pipe.b.send(1);
      (void)pipe.b.send_bytes(pattern(10'000'000)); // too much for the kernel to keep
      return false;
    });
    pipe.b.close();
    CHECK(pipe.a.recv().value() == 1);
    CHECK(pipe.a.poll(limit).value());
    kill(child.pid(), SIGKILL);
    CHECK(WIFSIGNALED(child.end().status));
  }
  CHECK(pipe.a.recv().error() == Errc::end_of_file);
}

TEST_CASE("poll waits for a message within the time") {
  Pipe pipe;
  CHECK(pipe.b.poll().value() == false);
  CHECK(pipe.b.poll(moment).value() == false);
  Running sender([&] {
    rt::sleep_for(moment);
    CHECK(pipe.a.send(1).ok());
    CHECK(pipe.a.send(2).ok());
  });
  CHECK(pipe.b.poll(limit).value());
  CHECK(pipe.b.recv().value() == 1);
  CHECK(pipe.b.poll(limit).value());
  CHECK(pipe.b.recv().value() == 2);
  CHECK(pipe.b.poll().value() == false);
}

TEST_CASE("what is no value is refused, and the next message is read") {
  Pipe pipe;
  CHECK(pipe.a.send_bytes("\xff").ok());
  CHECK(pipe.a.send_bytes("\x61\xff").ok());
  CHECK(pipe.a.send("\xff").error() == Errc::illegal_byte_sequence);
  CHECK(pipe.a.send(1).ok());
  CHECK(pipe.b.recv().error() == Errc::bad_message);
  CHECK(pipe.b.recv().error() == Errc::illegal_byte_sequence);
  CHECK(pipe.b.recv().value() == 1);
}

TEST_CASE("a message that claims to be larger than the limit is refused before it is received") {
  Pipe pipe;
  pipe.b.set_limit(1000);
  CHECK(pipe.a.send_bytes(pattern(1000)).ok());
  CHECK(pipe.b.recv_bytes().value() == pattern(1000));
  send_raw(pipe.a, "\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff"sv);
  CHECK(pipe.b.recv_bytes().error() == Errc::message_size);
  CHECK(pipe.b.recv().error() == Errc::message_size);
}

TEST_CASE("a size of eight bytes is understood") {
  Pipe pipe;
  send_raw(pipe.a, "\xff\xff\xff\xff\0\0\0\0\0\0\0\3abc"sv);
  CHECK(pipe.b.recv_bytes().value() == "abc");
}

TEST_CASE("in fibers both ends may be in one thread") {
  Pipe pipe;
  auto echo = rt::spawn([&] {
    int count = 0;
    for (;; ++count) {
      const auto value = pipe.b.recv();
      if (!value) return value.error() == Errc::end_of_file ? count : -1;
      if (!pipe.b.send(*value)) return -1;
    }
  });
  auto client = rt::spawn([&] {
    for (int i = 0; i < 500; ++i) {
      CHECK(pipe.a.send({i, "text"}).ok());
      CHECK(pipe.a.recv().value() == Value{i, "text"});
    }
    const std::string large = pattern(3'000'000);
    CHECK(pipe.a.send(large).error() == Errc::illegal_byte_sequence);
    CHECK(pipe.a.send(Value::bytes(large)).ok());
    CHECK((pipe.a.recv().value().bytes() == large));
    pipe.a.close();
  });
  client.join();
  CHECK(echo.join() == 501);
}

TEST_CASE("a fiber that is canceled while it receives has lost nothing") {
  Pipe pipe;
  auto receiver = rt::spawn([&] { return pipe.b.recv(); });
  rt::yield();
  send_raw(pipe.a, "\0\0\0\3\x82"sv); // a part of [1, 2]
  rt::sleep_for(1ms);
  receiver.cancel();
  CHECK(receiver.join().error() == Errc::canceled);
  send_raw(pipe.a, "\1\2"sv);
  CHECK(pipe.b.recv().value() == Value{1, 2});
  rt::Timeout timeout(1ms);
  CHECK(pipe.b.recv().error() == Errc::timed_out);
}

TEST_CASE("a send that is given up in the middle ends the stream, and one that has not begun does not") {
  Running thread([] { // without a hub, as in the others
    Pipe pipe;
    {
      rt::Timeout timeout(moment);
      CHECK(pipe.a.send(1).ok());
      CHECK(pipe.b.recv().value() == 1);
      CHECK(pipe.b.recv().error() == Errc::timed_out);
    }
    {
      rt::Timeout timeout(moment);
      CHECK(pipe.a.send_bytes(pattern(10'000'000)).error() == Errc::timed_out);
    }
    CHECK(pipe.a.send(1).error() == Errc::broken_pipe);
    CHECK(pipe.b.recv_bytes().error() == Errc::end_of_file);
    CHECK(pipe.b.send(3).ok()); // the other direction is as it was
    CHECK(pipe.a.recv().value() == 3);
  });
}

TEST_CASE("signals do not disturb a message") {
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, &before);
  Pipe pipe;
  std::atomic<bool> done = false;
  const pthread_t self = pthread_self();
  Running disturber([&] {
    while (!done) {
      pthread_kill(self, SIGUSR1);
      rt::sleep_for(50us);
    }
  });
  Running sender([&] {
    for (int i = 0; i < 20; ++i) CHECK(pipe.a.send_bytes(pattern(1'000'000)).ok());
  });
  for (int i = 0; i < 20; ++i) CHECK((pipe.b.recv_bytes().value() == pattern(1'000'000)));
  done = true;
  sender.join();
  disturber.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("Python's multiprocessing.connection is the other end") {
  Pipe pipe;
  fcntl(pipe.b.fd(), F_SETFD, 0);
  const std::string program = "/usr/bin/python3 -c '"
                              "import cbor2, multiprocessing.connection as m\n"
                              "c = m.Connection(" +
                              std::to_string(pipe.b.fd()) +
                              ")\n"
                              "while True:\n"
                              "  try: c.send_bytes(cbor2.dumps([cbor2.loads(c.recv_bytes())]))\n"
                              "  except EOFError: break'";
  std::FILE* const peer = popen(program.c_str(), "r");
  pipe.b.close();
  for (const Value& value : {Value(1), Value{"text", 1.5}, Value::bytes_of(pattern(1'000'000)), Value("")}) {
    CHECK(pipe.a.send(value).ok());
    CHECK((pipe.a.recv().value() == Value(Value::List{value})));
  }
  pipe.a.close();
  CHECK(pclose(peer) == 0);
}
