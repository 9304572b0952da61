// Input and output without libc, by each engine that the machine has.

#include "check.hpp"

#include <rt/hub/io_uring_poller.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/kernel/page.hpp>
#include <rt/rt.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using rt::Address, rt::Errc, rt::TcpListener, rt::TcpStream, rt::UnixStream;

namespace {

constexpr const char* const no_choice[] = {nullptr};
constexpr const char* const by_epoll[] = {"RT_ENGINE=epoll", nullptr};
constexpr const char* const by_io_uring[] = {"RT_ENGINE=io_uring", nullptr};

/// Runs it in a thread for each engine.
template <class F> void with_each_engine(F function) {
  for (const auto environment : {no_choice, by_epoll, by_io_uring}) {
    if (environment == by_io_uring && !rt::hub::IoUringPoller::available()) {
      rt::eprintln("this kernel has no io_uring, or not all of it");
      continue;
    }
    rt::kernel::set_environment(environment);
    rt::Thread thread([&] {
      rt::spawn([] {}).join(); // now the thread has a hub
      function();
      CHECK(rt::hub_info().engine == (environment == by_io_uring ? "io_uring" : "epoll"));
    });
    thread.start().value();
    thread.join();
  }
}

void echo(TcpStream stream) {
  char buffer[256];
  for (;;) {
    const auto got = stream.read(buffer);
    if (!got || *got == 0 || !stream.write(std::span(buffer, *got))) return;
  }
}

/// In KiB; the memory that the process has pages for.
std::size_t resident_size() {
  rt::File file = rt::File::open("/proc/self/statm").value();
  char buffer[128];
  const std::string_view text(buffer, file.read(buffer).value());
  std::size_t pages = 0;
  for (const char c : text.substr(text.find(' ') + 1)) {
    if (c < '0' || c > '9') break;
    pages = pages * 10 + static_cast<std::size_t>(c - '0');
  }
  return pages * rt::kernel::page_size() / 1024;
}

} // namespace

RT_CASE("the engine is the one that is asked for") {
  rt::kernel::set_environment(by_epoll);
  auto [here, there] = UnixStream::pair().value();
  rt::spawn([&stream = here] {
    CHECK(rt::hub_info().engine == "futex");
    const rt::Timeout limit(1ms);
    char buffer[1];
    CHECK(stream.read(buffer).error() == Errc::timed_out);
    CHECK(rt::hub_info().engine == "epoll");
  }).join();
  if (!rt::hub::IoUringPoller::available()) return;
  rt::kernel::set_environment(by_io_uring);
  rt::Thread thread([&stream = there] {
    rt::spawn([&stream] {
      const rt::Timeout limit(1ms);
      char buffer[1];
      CHECK(stream.read(buffer).error() == Errc::timed_out);
      CHECK(rt::hub_info().engine == "io_uring");
    }).join();
  });
  thread.start().value();
  thread.join();
}

constexpr const char* const by_nothing[] = {"RT_ENGINE=kqueue", nullptr};
RT_CASE_ENDS("an engine that there is not ends the program", bare::by_exit(2), "RT_ENGINE=kqueue") {
  rt::kernel::set_environment(by_nothing);
  auto [here, there] = UnixStream::pair().value();
  rt::spawn([&stream = here] {
    char buffer[1];
    (void)stream.read(buffer);
  }).join();
}

RT_CASE("TCP connections on the loopback, a fiber for each end") {
  with_each_engine([] {
    TcpListener listener = TcpListener::listen(Address::loopback(0)).value();
    auto server = rt::spawn([&] {
      rt::Group connections;
      while (auto stream = listener.accept()) connections.spawn(echo, std::move(*stream)).value();
    });
    std::vector<rt::Fiber<void>> clients;
    for (int i = 0; i < 50; ++i)
      clients.push_back(rt::spawn([&listener, letter = static_cast<char>('0' + i)] {
        TcpStream stream = TcpStream::connect(listener.address()).value();
        for (std::size_t size = 1; size < 1000; size += 111) {
          const std::string sent(size, letter);
          CHECK(stream.write(sent));
          std::string received(size, '?');
          CHECK(stream.read_exactly(received));
          CHECK(received == sent);
        }
      }));
    CHECK(rt::joinall(clients, 60s));
    CHECK(listener.shutdown());
    server.join();
  });
}

RT_CASE("a megabyte and more, both ways at once") {
  with_each_engine([] {
    auto [here, there] = UnixStream::pair().value();
    const std::string sent(3'000'000, 'm');
    const auto send = [&](UnixStream& stream) {
      CHECK(stream.write(sent));
      CHECK(stream.shutdown(rt::ShutDown::writing));
    };
    auto first = rt::spawn([&, &stream = here] { send(stream); });
    auto second = rt::spawn([&, &stream = there] { send(stream); });
    const auto receive = [&](UnixStream& stream) {
      std::string received(sent.size(), '?');
      CHECK(stream.read_exactly(received));
      CHECK(received == sent);
      char more[1];
      CHECK(stream.read(more).value_or(1) == 0);
    };
    auto third = rt::spawn([&, &stream = here] { receive(stream); });
    receive(there);
    first.join();
    second.join();
    third.join();
  });
}

RT_CASE("waits end by a time limit, a cancel, another thread's cancel, and a close") {
  with_each_engine([] {
    auto [here, there] = UnixStream::pair().value();
    const auto read = [&stream = here] {
      char buffer[1];
      return stream.read(buffer).error().code;
    };
    auto late = rt::spawn([&] {
      const rt::Timeout limit(5ms);
      return read();
    });
    auto canceled = rt::spawn(read), canceled_elsewhere = rt::spawn(read), closed = rt::spawn(read);
    rt::sleep_for(1ms);
    canceled.cancel();
    CHECK(canceled.join() == Errc::canceled);
    rt::Thread thread([&] { canceled_elsewhere.cancel(); });
    thread.start().value();
    CHECK(canceled_elsewhere.join() == Errc::canceled);
    thread.join();
    CHECK(late.join() == Errc::timed_out);
    here.close();
    CHECK(closed.join() == Errc::bad_file_descriptor);
    char buffer[1];
    CHECK(there.read(buffer).value_or(1) == 0); // nobody keeps the connection open
  });
}

RT_CASE("a hub that waits for a descriptor is woken by another thread") {
  with_each_engine([] {
    auto [here, there] = UnixStream::pair().value();
    auto reader = rt::spawn([&stream = here] {
      char buffer[1];
      return stream.read(buffer).value_or(9);
    });
    rt::Event events[2];
    rt::Thread other([&] {
      for (int i = 0; i < 1000; ++i) {
        events[0].wait();
        events[0].clear();
        events[1].set();
      }
    });
    other.start().value();
    for (int i = 0; i < 1000; ++i) {
      events[0].set();
      events[1].wait();
      events[1].clear();
    }
    other.join();
    there.close();
    CHECK(reader.join() == 0);
  });
}

RT_CASE("UDP, pipes, descriptors that are passed on, and files") {
  with_each_engine([] {
    rt::UdpSocket server = rt::UdpSocket::bind(Address::loopback(0)).value();
    rt::UdpSocket client = rt::UdpSocket::connect(server.address()).value();
    auto answering = rt::spawn([&] {
      char buffer[64];
      const auto got = server.receive_from(buffer).value();
      CHECK(server.send_to(std::span<const char>(buffer, got.size), got.from));
    });
    CHECK(client.send(std::string_view("datagram")));
    char buffer[64];
    CHECK(client.receive(buffer).value_or(0) == 8);
    answering.join();

    rt::Pipe pipe = rt::Pipe::make().value();
    auto [here, there] = UnixStream::pair().value();
    auto passing = rt::spawn([&, &stream = here] {
      const int passed[] = {pipe.write.number()};
      CHECK(stream.write_with_descriptors(std::string_view("!"), passed));
      pipe.write.close();
    });
    rt::Fd received[1];
    CHECK(there.read_with_descriptors(buffer, received)->descriptors == 1);
    auto reading = rt::spawn([&] { return pipe.read.read(buffer).value_or(0); });
    rt::yield();
    CHECK(received[0].write("through the pipe"));
    CHECK(reading.join() == 16);
    passing.join();
  });
}

RT_CASE("hundreds of connections that wait take a page of stack and less than 2 KB each") {
  with_each_engine([] {
    constexpr std::size_t count = 400; // descriptors for both ends, of 1024 that a process has
    std::vector<std::pair<UnixStream, UnixStream>> pairs;
    for (std::size_t i = 0; i < count; ++i) pairs.push_back(UnixStream::pair().value());
    const std::size_t before = resident_size();
    rt::Group group;
    for (auto& pair : pairs)
      group
          .spawn([&stream = pair.first] {
            char buffer[1024];
            while (stream.read(buffer).value_or(0) > 0) {
            }
          })
          .value();
    for (auto& pair : pairs) CHECK(pair.second.write("wake up"));
    rt::sleep_for(20ms);
    const std::size_t after = resident_size();
    CHECK((after - before) * 1024 < count * (rt::kernel::page_size() + 2000));
    pairs.clear();
    group.join();
  });
}
