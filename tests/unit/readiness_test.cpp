#include "sync_test.hpp"

#include <rt/rt.hpp>
#include <rt/sync/spin.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace sync_test;
using rt::Errc, rt::Fd, rt::Ready, rt::wait_until_ready;

namespace {

/// Two sockets that are connected to each other and do not block.
struct Pair {
  Fd here, there;

  Pair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    here = Fd(ends[0]);
    there = Fd(ends[1]);
  }
  void send(std::string_view text = "x") const {
    REQUIRE(write(there.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// Empty: there is nothing.
  std::string receive() const {
    char buffer[64];
    const ssize_t size = read(here.number(), buffer, sizeof buffer);
    return std::string(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
  }
  /// Until the other side takes no more.
  void fill() const {
    std::array<char, 4096> block{};
    while (write(here.number(), block.data(), block.size()) > 0) {
    }
    REQUIRE(errno == EAGAIN);
  }
  void drain() const {
    std::array<char, 4096> block{};
    while (read(there.number(), block.data(), block.size()) > 0) {
    }
  }
};

/// Waits in a fiber of its own, and counts how often it was told that there is something to read.
struct Reader {
  std::string text;
  rt::Fiber<Errc> fiber;

  explicit Reader(const Fd& fd)
      : fiber(rt::spawn([this, number = fd.number()] {
          for (;;) {
            const auto ready = wait_until_ready(number, Ready::read);
            if (!ready) return ready.error().code;
            char letter;
            const ssize_t got = read(number, &letter, 1);
            if (got == 0) return Errc::end_of_file;
            if (got == 1) text += letter;
          }
        })) {}
};

} // namespace

TEST_CASE("a fiber that waits for a descriptor lets the others run") {
  const Pair pair;
  std::string order;
  auto reader = rt::spawn([&] {
    const auto ready = wait_until_ready(pair.here.number(), Ready::read);
    CHECK(ready.value_or(Ready::none) == Ready::read);
    order += pair.receive();
  });
  auto writer = rt::spawn([&] {
    for (char letter : {'a', 'b'}) {
      order += letter;
      rt::yield();
    }
    pair.send("c");
  });
  reader.join();
  writer.join();
  CHECK(order == "abc");
  const char* const forced = std::getenv("RT_ENGINE");
  CHECK(rt::hub_info().engine == (forced ? forced : "epoll"));
}

TEST_CASE("the main flow of a thread with fibers waits as a fiber does") {
  const Pair pair;
  auto writer = rt::spawn([&] { pair.send(); });
  CHECK(wait_until_ready(pair.here.number(), Ready::read).value_or(Ready::none) == Ready::read);
  writer.join();
}

TEST_CASE("a hub that sleeps for its descriptors is woken by one, by another thread, and by a deadline") {
  const Pair pair;
  rt::Event event;
  rt::Queue<int> order;
  auto fibers = std::vector<rt::Fiber<void>>();
  fibers.push_back(rt::spawn([&] {
    CHECK(wait_until_ready(pair.here.number(), Ready::read));
    order.put(3).value();
  }));
  fibers.push_back(rt::spawn([&] {
    event.wait();
    order.put(2).value();
  }));
  fibers.push_back(rt::spawn([&] {
    rt::sleep_for(1ms);
    order.put(1).value();
  }));
  const auto hub = rt::current_task().id;
  Running other([&] {
    while (order.size() < 1) rt::sleep_for(100us);
    CHECK(becomes([&] { return asleep(hub); }));
    event.set();
    while (order.size() < 2) rt::sleep_for(100us);
    CHECK(becomes([&] { return asleep(hub); }));
    pair.send();
  });
  CHECK(rt::joinall(fibers, limit));
  for (int expected : {1, 2, 3}) CHECK(order.get().value() == expected);
}

TEST_CASE("a thread without fibers waits by itself") {
  const Pair pair;
  Running([&] {
    CHECK(wait_until_ready(pair.here.number(), Ready::read, rt::Deadline::after(moment)).error() == Errc::timed_out);
    CHECK(wait_until_ready(pair.here.number(), Ready::write).value_or(Ready::none) == Ready::write);
    CHECK(wait_until_ready(-1, Ready::read).error() == Errc::bad_file_descriptor);
    pair.send();
    CHECK(wait_until_ready(pair.here.number(), Ready::read | Ready::write).value_or(Ready::none) ==
          (Ready::read | Ready::write));
    const rt::Timeout timeout(moment);
    pair.receive();
    CHECK(wait_until_ready(pair.here.number(), Ready::read).error() == Errc::timed_out);
  }).join();
}

TEST_CASE("who waits for a descriptor is ended by a deadline, by a Timeout, and by a cancel") {
  const Pair pair;
  const int fd = pair.here.number();
  auto late = rt::spawn([&] { return wait_until_ready(fd, Ready::read, rt::Deadline::after(moment)).error().code; });
  auto limited = rt::spawn([&] {
    const rt::Timeout timeout(moment);
    return wait_until_ready(fd, Ready::read).error().code;
  });
  auto canceled = rt::spawn([&] { return wait_until_ready(fd, Ready::read).error().code; });
  auto impatient = rt::spawn([&] { return wait_until_ready(fd, Ready::read, rt::Deadline::at(0)).error().code; });
  rt::yield();
  canceled.cancel();
  CHECK(canceled.join() == Errc::canceled);
  CHECK(late.join() == Errc::timed_out);
  CHECK(limited.join() == Errc::timed_out);
  CHECK(impatient.join() == Errc::timed_out);
  // Nobody is left in the entry.
  Reader reader(pair.here);
  pair.send("!");
  CHECK(becomes([&] { return reader.text == "!"; }));
  reader.fiber.cancel();
  CHECK(reader.fiber.join() == Errc::canceled);
}

TEST_CASE("a fiber that waits for a descriptor is canceled by another thread") {
  const Pair pair;
  auto fiber = rt::spawn([&] { return wait_until_ready(pair.here.number(), Ready::read).error().code; });
  const auto hub = rt::current_task().id;
  Running canceler([&] {
    CHECK(becomes([&] { return asleep(hub); }));
    fiber.cancel();
  });
  CHECK(fiber.join() == Errc::canceled);
}

TEST_CASE("a descriptor that is ready in the end of the time is ready") {
  const Pair pair;
  pair.send();
  auto fiber = rt::spawn([&] { return wait_until_ready(pair.here.number(), Ready::read, rt::Deadline::after(1ns)); });
  const auto begin = rt::Clock::now();
  while (rt::Clock::now() - begin < 1ms) {
  }
  CHECK(fiber.join().value_or(Ready::none) == Ready::read);
}

TEST_CASE("of those who wait to read a byte one gets it, and each gets one in the end") {
  const Pair pair;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 10; ++i) readers.push_back(std::make_unique<Reader>(pair.here));
  pair.send("0123456789");
  std::string all;
  CHECK(becomes([&] {
    all.clear();
    for (const auto& reader : readers) all += reader->text;
    return all.size() == 10;
  }));
  pair.send("y");
  rt::yield();
  for (const auto& reader : readers) reader->fiber.cancel();
  for (const auto& reader : readers) CHECK(reader->fiber.join() == Errc::canceled);
}

TEST_CASE("all who wait are told of the end of a connection") {
  Pair pair;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 3; ++i) readers.push_back(std::make_unique<Reader>(pair.here));
  rt::yield();
  pair.there.close();
  for (const auto& reader : readers) CHECK(reader->fiber.join() == Errc::end_of_file);
}

TEST_CASE("one reads and another writes on the same descriptor") {
  const Pair pair;
  pair.fill();
  Reader reader(pair.here);
  auto writer = rt::spawn([&] { return wait_until_ready(pair.here.number(), Ready::write); });
  rt::sleep_for(1ms);
  CHECK_FALSE(writer.done());
  pair.send("r");
  CHECK(becomes([&] { return reader.text == "r"; }));
  CHECK_FALSE(writer.done());
  pair.drain();
  CHECK(writer.join().value_or(Ready::none) == Ready::write);
  pair.send("s");
  CHECK(becomes([&] { return reader.text == "rs"; }));
  reader.fiber.cancel();
  reader.fiber.join();
}

TEST_CASE("regular files are always ready, and what is not open is no descriptor") {
  const Fd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  rt::spawn([&] {
    CHECK(wait_until_ready(file.number(), Ready::read).value_or(Ready::none) == Ready::read);
    CHECK(wait_until_ready(12345, Ready::read).error() == Errc::bad_file_descriptor);
    CHECK(wait_until_ready(-1, Ready::read).error() == Errc::bad_file_descriptor);
  }).join();
}

TEST_CASE("closing a descriptor ends the waits for it, and its number may mean another one") {
  for (int round = 0; round < 3; ++round) {
    Pair pair;
    Fd copy(dup(pair.here.number())); // the kernel would go on watching the file
    Reader reader(pair.here);
    rt::sleep_for(1ms);
    const int number = pair.here.number();
    pair.here.close();
    CHECK(reader.fiber.join() == Errc::bad_file_descriptor);
    const Pair other;
    CHECK((other.here.number() == number || other.there.number() == number));
    Reader next(other.here);
    rt::sleep_for(1ms);
    pair.send(); // to the copy
    rt::sleep_for(1ms);
    CHECK(next.text.empty());
    other.send("z");
    CHECK(becomes([&] { return next.text == "z"; }));
    next.fiber.cancel();
    CHECK(next.fiber.join() == Errc::canceled);
  }
}

TEST_CASE("another thread closes a descriptor that is waited for") {
  Pair pair;
  Reader reader(pair.here);
  const auto hub = rt::current_task().id;
  Running closer([&] {
    CHECK(becomes([&] { return asleep(hub); }));
    pair.here.close();
  });
  CHECK(reader.fiber.join() == Errc::bad_file_descriptor);
  closer.join();
  const Pair other;
  Reader next(other.here);
  other.send("n");
  CHECK(becomes([&] { return next.text == "n"; }));
  next.fiber.cancel();
  CHECK(next.fiber.join() == Errc::canceled);
}

TEST_CASE("what nobody waits for does not keep the hub awake") {
  const Pair pair, other;
  Reader reader(pair.here), waits(other.here);
  rt::sleep_for(1ms);
  reader.fiber.cancel();
  CHECK(reader.fiber.join() == Errc::canceled);
  pair.send("unread");
  timespec before, after;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  rt::sleep_for(100ms);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  const auto used =
      std::chrono::seconds(after.tv_sec - before.tv_sec) + std::chrono::nanoseconds(after.tv_nsec - before.tv_nsec);
  CHECK(used < 50ms);
  // It is found by who waits again.
  CHECK(wait_until_ready(pair.here.number(), Ready::read).value_or(Ready::none) == Ready::read);
  waits.fiber.cancel();
  waits.fiber.join();
}

TEST_CASE("a flow that only yields does not keep others from their descriptors, nor they it") {
  const Pair pair;
  bool stop = false;
  Reader reader(pair.here);
  auto busy = rt::spawn([&] {
    std::uint64_t turns = 0;
    for (; !stop; ++turns) rt::yield();
    return turns;
  });
  pair.send("1");
  CHECK(becomes([&] { return reader.text == "1"; }));
  stop = true;
  CHECK(busy.join() > 0);
  reader.fiber.cancel();
  reader.fiber.join();
}

TEST_CASE("a thread that ends cancels its fibers that wait for descriptors") {
  const Pair pair;
  Errc code = Errc::none;
  for (int round = 0; round < 3; ++round) {
    Running([&] {
      rt::spawn([&] { code = wait_until_ready(pair.here.number(), Ready::read).error().code; });
      rt::sleep_for(1ms);
    }).join();
    CHECK(code == Errc::canceled);
    code = Errc::none;
  }
}

TEST_CASE("a hub looks for its descriptors for as long as it is told to before it sleeps") {
  const Pair pair;
  const auto cpu_time = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  // Of a wait in vain, by a new hub, whose credit nothing has used up.
  const auto cpu_time_of_wait = [&](std::chrono::nanoseconds spin_time) {
    rt::set_spin_time(spin_time);
    std::chrono::nanoseconds time{};
    Running([&] {
      rt::spawn([&] {
        const auto before = cpu_time();
        const auto waited = wait_until_ready(pair.here.number(), Ready::read, rt::Deadline::after(5ms));
        time = cpu_time() - before;
        CHECK(waited.error() == Errc::timed_out);
      }).join();
    }).join();
    return time;
  };
  CHECK(becomes([&] { return cpu_time_of_wait(1ms) > 600us; })); // less if others have the CPU meanwhile
  CHECK(becomes([&] { return cpu_time_of_wait(0ms) < 600us; }));
  rt::set_spin_time(rt::default_spin_time);
}

TEST_CASE("a hub that looks for its descriptors before it sleeps keeps deadlines, and sees other threads and cancels") {
  rt::set_spin_time(1ms);
  const Pair pair;
  auto reader = rt::spawn([&] { return wait_until_ready(pair.here.number(), Ready::read).error().code; });
  for (int i = 0; i < 50; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    rt::sleep_for(100us);
    CHECK(std::chrono::steady_clock::now() - begin >= 100us);
  }
  rt::Event event;
  for (int i = 0; i < 50; ++i) {
    Running other([&] { event.set(); });
    CHECK(event.wait_for(limit));
    event.clear();
    other.join();
  }
  Running other([&] { reader.cancel(); });
  CHECK(reader.join() == Errc::canceled);
  other.join();
  rt::set_spin_time(rt::default_spin_time);
}
