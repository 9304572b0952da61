#include "sync_test.hpp"

#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace sync_test;
using rt::Address, rt::Errc, rt::Fd, rt::Result, rt::ShutDown;
using rt::TcpListener, rt::TcpStream, rt::UdpSocket, rt::UnixListener, rt::UnixStream;

namespace {

/// Runs it in a thread without fibers, and in a fiber.
template <class F> void in_thread_and_fiber(F function) {
  Running(function).join();
  rt::spawn(function).join();
}

TcpListener listen_somewhere() { return TcpListener::listen(Address::loopback(0)).value(); }

/// Accepts on a thread, or a fiber, of its own until it is shut down, and sends back all that comes.
template <class Listener> class Echo {
 public:
  explicit Echo(Listener& listener) : listener_(listener) {
    server_.emplace([this] {
      rt::Group connections;
      while (auto connection = listener_.accept())
        connections.spawn([](auto stream) { serve(stream); }, std::move(*connection)).value();
    });
  }
  ~Echo() {
    listener_.shutdown().value();
    server_->join();
  }

 private:
  template <class Stream> static void serve(Stream& stream) {
    char buffer[1000];
    for (;;) {
      const auto got = stream.read(buffer);
      if (!got || *got == 0 || !stream.write(std::span(buffer, *got))) return;
    }
  }

  Listener& listener_;
  std::optional<Running> server_;
};

template <class Stream> std::string read_all(Stream& stream) {
  std::string all;
  char buffer[64];
  for (;;) {
    const auto got = stream.read(buffer);
    CHECK(got.ok());
    if (!got || *got == 0) return all;
    all.append(buffer, *got);
  }
}

template <class Stream> std::string read_text(Stream& stream, std::size_t size) {
  std::string text(size, '?');
  CHECK(stream.read_exactly(text));
  return text;
}

std::string text_of(const Address& address) {
  char buffer[200];
  return std::string(buffer, rt::format_to(buffer, "{}", address));
}

/// A directory of the test's own.
struct Directory {
  std::string path = "/tmp/rt-socket-test-XXXXXX";

  Directory() { REQUIRE(mkdtemp(path.data())); }
  ~Directory() { CHECK(rmdir(path.c_str()) == 0); }
};

/// Restricts how many descriptors the process may have to those that it has.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = dup(0);
    close(lowest_free);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(lowest_free);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

} // namespace

TEST_CASE("what is sent over TCP comes back") {
  TcpListener listener = listen_somewhere();
  const Echo echo(listener);
  in_thread_and_fiber([&] {
    TcpStream stream = TcpStream::connect(listener.address()).value();
    CHECK(stream.peer() == listener.address());
    CHECK(stream.write("hello"));
    CHECK(read_text(stream, 5) == "hello");
    CHECK(stream.write(std::string("again")));
    CHECK(read_text(stream, 5) == "again");
    CHECK(stream.shutdown(ShutDown::writing));
    CHECK(read_all(stream) == "");
  });
}

TEST_CASE("TCP over IPv6") {
  auto listening = TcpListener::listen(Address::parse("[::1]:0").value());
  if (!listening) {
    CHECK(
        (listening.error() == Errc::address_not_available || listening.error() == Errc::address_family_not_supported));
    std::puts("SKIPPED TCP over IPv6: there is none here");
    return;
  }
  const Echo echo(*listening);
  in_thread_and_fiber([&] {
    TcpStream stream = TcpStream::connect(text_of(listening->address())).value();
    CHECK(stream.write("six"));
    CHECK(read_text(stream, 3) == "six");
  });
}

TEST_CASE("many megabytes pass while both sides write") {
  TcpListener listener = listen_somewhere();
  const Echo echo(listener);
  constexpr std::size_t size = 8'000'000;
  std::string sent(size, '\0');
  for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(i * i >> 7);
  TcpStream stream = TcpStream::connect(listener.address()).value();
  auto writer = rt::spawn([&] {
    CHECK(stream.write(sent));
    CHECK(stream.shutdown(ShutDown::writing));
  });
  std::string received(size, '\0');
  CHECK(stream.read_exactly(received));
  CHECK(received == sent);
  char more;
  CHECK(stream.read(std::span(&more, 1)).value_or(1) == 0);
  writer.join();
}

TEST_CASE("a thousand connections at once, a fiber each") {
  TcpListener listener = listen_somewhere();
  rt::Group group;
  group
      .spawn([&] {
        for (int i = 0; i < 1000; ++i)
          group
              .spawn(
                  [](TcpStream stream) {
                    const std::string text = read_text(stream, 4);
                    CHECK(stream.write(text));
                    CHECK(read_all(stream) == "");
                  },
                  listener.accept().value())
              .value();
      })
      .value();
  std::vector<TcpStream> streams;
  for (int i = 0; i < 1000; ++i) streams.push_back(TcpStream::connect(listener.address()).value());
  for (int i = 0; i < 1000; ++i) {
    char text[4] = {'a', static_cast<char>(i), static_cast<char>(i >> 8), 'z'};
    CHECK(streams[static_cast<std::size_t>(i)].write(std::span<const char>(text)));
  }
  for (int i = 0; i < 1000; ++i) {
    const std::string text = read_text(streams[static_cast<std::size_t>(i)], 4);
    CHECK(text == std::string{'a', static_cast<char>(i), static_cast<char>(i >> 8), 'z'});
  }
  streams.clear();
  group.join();
}

TEST_CASE("requests that come before the answer to the one before are read one after the other") {
  auto [here, there] = UnixStream::pair().value();
  auto server = rt::spawn([&stream = there] {
    char buffer[4];
    std::string all;
    for (;;) {
      const auto got = stream.read(buffer);
      if (!got || *got == 0) return all;
      all.append(buffer, *got);
      rt::yield();
    }
  });
  for (const char* text : {"12", "345", "6789abcdef", "g"}) {
    CHECK(here.write(std::string_view(text)));
    rt::yield();
  }
  here.close();
  CHECK(server.join() == "123456789abcdefg");
}

TEST_CASE("the other side's end, half of it and all of it") {
  in_thread_and_fiber([] {
    auto [here, there] = UnixStream::pair().value();
    CHECK(here.write("last words"));
    CHECK(here.shutdown(ShutDown::writing));
    CHECK(here.write("x").error() == Errc::broken_pipe); // and no SIGPIPE
    CHECK(read_all(there) == "last words");
    CHECK(there.write("answer"));
    there.close();
    CHECK(read_all(here) == "answer");
    char more[10];
    CHECK(here.read_exactly(more).error() == Errc::end_of_file);
  });
}

TEST_CASE("a connection that is reset says so") {
  TcpListener listener = listen_somewhere();
  in_thread_and_fiber([&] {
    TcpStream client = TcpStream::connect(listener.address()).value();
    TcpStream server = listener.accept().value();
    const linger at_once{1, 0};
    REQUIRE(setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    client.close();
    char buffer[10];
    CHECK(server.read(buffer).error() == Errc::connection_reset);
    CHECK(server.write("x").error() == Errc::broken_pipe);
  });
}

TEST_CASE("non-blocking mode says would_block, and only then") {
  in_thread_and_fiber([] {
    TcpListener listener = listen_somewhere();
    listener.set_nonblocking(true);
    CHECK(listener.accept().error() == Errc::would_block);
    TcpStream client = TcpStream::connect(listener.address()).value();
    client.set_nonblocking(true);
    CHECK(client.nonblocking());
    char buffer[64];
    CHECK(client.read(buffer).error() == Errc::would_block);
    TcpStream server = listener.accept().value();
    CHECK_FALSE(server.nonblocking());
    CHECK(server.write("text"));
    CHECK(rt::wait_until_ready(client.number(), rt::Ready::read));
    CHECK(client.read(buffer).value_or(0) == 4);
    CHECK(client.read(buffer).error() == Errc::would_block);
    const std::string much(100'000, 'x');
    Result<std::size_t> put = 0;
    std::size_t total = 0;
    while ((put = client.write_some(much))) total += *put;
    CHECK(put.error() == Errc::would_block);
    client.set_nonblocking(false);
    client.close();
    CHECK(read_all(server).size() == total);
  });
}

TEST_CASE("time limits and cancels end reads, writes and accepts") {
  in_thread_and_fiber([] {
    TcpListener listener = listen_somewhere();
    auto [here, there] = UnixStream::pair().value();
    char buffer[10];
    {
      const rt::Timeout limit(moment);
      CHECK(listener.accept().error() == Errc::timed_out);
    }
    {
      const rt::Timeout limit(moment);
      CHECK(here.read(buffer).error() == Errc::timed_out);
    }
    {
      const rt::Timeout limit(moment);
      CHECK(here.write(std::string(10'000'000, 'x')).error() == Errc::timed_out);
    }
  });
  TcpListener listener = listen_somewhere();
  auto acceptor = rt::spawn([&] { return listener.accept().error().code; });
  auto [here, there] = UnixStream::pair().value();
  auto reader = rt::spawn([&stream = here] {
    char buffer[10];
    return stream.read(buffer).error().code;
  });
  rt::sleep_for(1ms);
  acceptor.cancel();
  reader.cancel();
  CHECK(acceptor.join() == Errc::canceled);
  CHECK(reader.join() == Errc::canceled);
}

TEST_CASE("a host may be named where an address is wanted") {
  in_thread_and_fiber([] {
    TcpListener listener = listen_somewhere();
    const std::string port = std::to_string(listener.address().port());
    CHECK(TcpStream::connect("localhost:" + port).value().peer() == listener.address());
    for (const char* wrong : {"localhost", "localhost:", ":80", "localhost:80x", "localhost:65536", "::1:80", "a b:80"})
      CHECK_MESSAGE(TcpStream::connect(wrong).error() == Errc::invalid_argument, wrong);
  });
}

TEST_CASE("connecting fails for a reason") {
  in_thread_and_fiber([] {
    Address nobody;
    {
      TcpListener listener = listen_somewhere();
      nobody = listener.address();
    }
    CHECK(TcpStream::connect(nobody).error() == Errc::connection_refused);
    CHECK(TcpStream::connect("not an address").error() == Errc::invalid_argument);
    CHECK(TcpListener::listen(Address::parse("192.0.2.1:0").value()).error() == Errc::address_not_available);
    TcpListener listener = listen_somewhere();
    CHECK(TcpListener::listen(listener.address()).error() == Errc::address_in_use);
    CHECK(TcpListener::listen(Address::abstract("x").value()).error() == Errc::address_family_not_supported);
    CHECK(UnixStream::connect("unix:/no/such/socket").error() == Errc::no_such_file_or_directory);
    CHECK(UnixStream::connect("unix:@nobody listens").error() == Errc::connection_refused);
    CHECK(UnixStream::connect("127.0.0.1:1").error() == Errc::address_family_not_supported);
  });
}

TEST_CASE("connecting gives up after its time") {
  in_thread_and_fiber([] {
    // A listener with room for one connection lets the next ones wait.
    rt::ListenOptions options;
    options.backlog = 0;
    TcpListener listener = TcpListener::listen(Address::loopback(0), options).value();
    std::vector<TcpStream> waiting;
    for (;;) {
      auto stream = TcpStream::connect(listener.address(), 200ms);
      if (!stream) {
        CHECK(stream.error() == Errc::timed_out);
        break;
      }
      waiting.push_back(std::move(*stream));
      REQUIRE(waiting.size() < 100);
    }
    UnixListener local = UnixListener::listen(Address::abstract("rt socket test").value(), options).value();
    std::vector<UnixStream> local_waiting;
    for (;;) {
      auto stream = UnixStream::connect(local.address(), moment);
      if (!stream) {
        CHECK(stream.error() == Errc::timed_out);
        break;
      }
      local_waiting.push_back(std::move(*stream));
      REQUIRE(local_waiting.size() < 100);
    }
    const rt::Timeout limit(moment);
    CHECK(UnixStream::connect(local.address()).error() == Errc::timed_out);
  });
}

TEST_CASE("a local listener that has room again is connected to") {
  rt::ListenOptions options;
  options.backlog = 0;
  UnixListener listener = UnixListener::listen(Address::abstract("rt socket test").value(), options).value();
  UnixStream first = UnixStream::connect(listener.address()).value();
  auto second = rt::spawn([&] { return UnixStream::connect(listener.address(), limit).ok(); });
  rt::sleep_for(5ms);
  CHECK_FALSE(second.done());
  UnixStream accepted = listener.accept().value();
  CHECK(second.join());
}

TEST_CASE_TEMPLATE("a shut down listener lets those go that wait for connections", Listener, TcpListener,
                   UnixListener) {
  constexpr bool tcp = std::is_same_v<Listener, TcpListener>;
  Listener listener = Listener::listen(tcp ? Address::loopback(0) : Address::abstract("rt test").value()).value();
  auto fiber = rt::spawn([&] { return listener.accept().error().code; });
  Errc code = Errc::none;
  Running thread([&] { code = listener.accept().error().code; });
  rt::sleep_for(1ms);
  CHECK(thread.comes_to_rest());
  CHECK(listener.shutdown());
  CHECK(fiber.join() == Errc::invalid_argument);
  thread.join();
  CHECK(code == Errc::invalid_argument);
}

TEST_CASE("a server without descriptors turns clients away and goes on") {
  in_thread_and_fiber([] {
    TcpListener listener = listen_somewhere();
    // All that the test needs itself is made before.
    TcpStream refused = TcpStream::connect(listener.address()).value();
    TcpStream other = TcpStream::connect(listener.address()).value();
    {
      const NoMoreDescriptors restriction;
      const rt::Timeout limit(moment);
      CHECK(listener.accept().error() == Errc::timed_out);
    }
    CHECK(listener.shed() == 2);
    char buffer[10];
    CHECK(refused.read(buffer).value_or(1) == 0); // closed
    CHECK(other.read(buffer).value_or(1) == 0);
    TcpStream client = TcpStream::connect(listener.address()).value();
    TcpStream server = listener.accept().value();
    CHECK(client.write("!"));
    CHECK(read_text(server, 1) == "!");
  });
}

TEST_CASE("local sockets by path") {
  const Directory directory;
  const Address address = Address::path(directory.path + "/socket").value();
  {
    UnixListener listener = UnixListener::listen(address).value();
    CHECK(UnixListener::listen(address).error() == Errc::address_in_use);
    const Echo echo(listener);
    in_thread_and_fiber([&] {
      UnixStream stream = UnixStream::connect(text_of(address)).value();
      CHECK(stream.peer() == address);
      CHECK(stream.write("path"));
      CHECK(read_text(stream, 4) == "path");
    });
  }
  // The path is still there, but nobody listens: a new server takes its place.
  CHECK(UnixStream::connect(address).error() == Errc::connection_refused);
  UnixListener again = UnixListener::listen(address).value();
  CHECK(UnixStream::connect(address));
  CHECK(unlink((directory.path + "/socket").c_str()) == 0);
}

TEST_CASE("a file that is no socket is not replaced by one") {
  const Directory directory;
  const std::string path = directory.path + "/file";
  close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  CHECK_FALSE(UnixListener::listen(Address::path(path).value()));
  CHECK(unlink(path.c_str()) == 0);
}

TEST_CASE("descriptors are passed along with bytes") {
  in_thread_and_fiber([] {
    auto [here, there] = UnixStream::pair().value();
    auto [first, second] = UnixStream::pair().value();
    const int passed[] = {first.number(), second.number()};
    CHECK(here.write_with_descriptors(std::string_view("two"), passed));
    char buffer[10];
    Fd received[4];
    const auto got = there.read_with_descriptors(buffer, received);
    REQUIRE(got);
    CHECK(got->bytes == 3);
    CHECK(got->descriptors == 2);
    CHECK((fcntl(received[0].number(), F_GETFD) & FD_CLOEXEC) != 0);
    first.close();
    second.close();
    UnixStream a(std::move(received[0])), b(std::move(received[1]));
    CHECK(a.write("through"));
    CHECK(read_text(b, 7) == "through");

    // No descriptors with the bytes, and more than there is room for.
    CHECK(here.write("plain"));
    CHECK(there.read_with_descriptors(buffer, received)->descriptors == 0);
    const int three[] = {a.number(), b.number(), a.number()};
    const int lowest = dup(0);
    close(lowest);
    CHECK(here.write_with_descriptors(std::string_view("x"), three));
    CHECK(there.read_with_descriptors(buffer, std::span(received).first(1)).error() == Errc::message_size);
    const int now = dup(0);
    close(now);
    CHECK(now == lowest); // none is left behind
    CHECK(here.write_with_descriptors({}, three).error() == Errc::invalid_argument);
  });
}

TEST_CASE("UDP messages keep their limits and tell their sender") {
  in_thread_and_fiber([] {
    UdpSocket server = UdpSocket::bind(Address::loopback(0)).value();
    UdpSocket client = UdpSocket::connect(server.address()).value();
    CHECK(client.send(std::string_view("one")));
    CHECK(client.send({}));
    CHECK(client.send(std::string_view("a longer one")));
    char buffer[5];
    const auto first = server.receive_from(buffer).value();
    CHECK(first.size == 3);
    CHECK(first.from == client.address());
    CHECK(server.receive(buffer).value_or(1) == 0);
    CHECK(server.receive_from(buffer)->size == 12); // of which five are there
    CHECK(std::string_view(buffer, 5) == "a lon");
    CHECK(server.send_to(std::string_view("back"), first.from));
    CHECK(client.receive(buffer).value_or(0) == 4);
    CHECK(client.send(std::string(100'000, 'x')).error() == Errc::message_size);
    const rt::Timeout limit(moment);
    CHECK(client.receive(buffer).error() == Errc::timed_out);
  });
}

TEST_CASE("a UDP socket is told that nobody took its message") {
  Address nobody;
  {
    const UdpSocket closed = UdpSocket::bind(Address::loopback(0)).value();
    nobody = closed.address();
  }
  UdpSocket client = UdpSocket::connect(nobody).value();
  CHECK(client.send(std::string_view("anybody?")));
  char buffer[10];
  const rt::Timeout timeout(limit);
  CHECK(client.receive(buffer).error() == Errc::connection_refused);
}

TEST_CASE("a stream that is closed by one fiber ends the reading of another") {
  auto [here, there] = UnixStream::pair().value();
  auto reader = rt::spawn([&stream = here] {
    char buffer[10];
    return stream.read(buffer).error().code;
  });
  rt::sleep_for(1ms);
  here.close();
  CHECK(reader.join() == Errc::bad_file_descriptor);
}

TEST_CASE("two listeners share a port") {
  rt::ListenOptions options;
  options.reuse_port = true;
  TcpListener first = TcpListener::listen(Address::loopback(0), options).value();
  TcpListener second = TcpListener::listen(first.address(), options).value();
  CHECK(first.address() == second.address());
}

TEST_CASE("a socket never takes the place of a standard stream that is closed") {
  const auto child = in_child([] {
    close(0);
    close(1);
    const TcpListener listener = listen_somewhere();
    TcpStream client = TcpStream::connect(listener.address()).value();
    const auto [here, there] = UnixStream::pair().value();
    const UdpSocket udp = UdpSocket::bind(Address::loopback(0)).value();
    const rt::File file = rt::File::open("/proc/self/exe").value();
    return listener.number() > 2 && client.number() > 2 && here.number() > 2 && there.number() > 2 &&
           udp.number() > 2 && file.number() > 2 && fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0;
  });
  CHECK(child.exited_with(0));
}
