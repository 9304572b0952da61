// Threads of fibers that talk over socket pairs, on each engine: with random time limits, cancels from the own thread
// and from others, closes under way, and wake-ups by other threads while hubs sleep in their pollers; and exact counts
// at the end.

#include "turn.hpp"

#include <rt/hub/io_uring_poller.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/rt.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace stress;
using rt::Errc, rt::UnixStream;

namespace {

/// Runs it for each engine, which the hubs of threads take that begin in it.
template <class F> void with_each_engine(F run) {
  static constexpr const char* by_epoll[] = {"RT_ENGINE=epoll", nullptr};
  static constexpr const char* by_io_uring[] = {"RT_ENGINE=io_uring", nullptr};
  const auto* const before = rt::kernel::environment();
  for (const auto* const environment : {by_epoll, by_io_uring}) {
    if (environment == by_io_uring && !rt::hub::IoUringPoller::available()) {
      std::puts("SKIPPED stress by io_uring: it is not allowed here");
      continue;
    }
    rt::kernel::set_environment(environment);
    INFO(environment[0]);
    run();
  }
  rt::kernel::set_environment(before);
}

/// Runs the function in as many threads, and ends the test program if one hangs.
template <class F> void in_threads(unsigned count, F function) {
  std::vector<std::unique_ptr<rt::Thread>> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.push_back(std::make_unique<rt::Thread>([function, i] { function(i); }));
    threads.back()->start().value();
  }
  for (auto& thread : threads)
    if (!thread->join_for(limit)) report_hang();
}

/// A connection on which one side sends numbers, one after the other, and the other side checks that none is missing.
struct Line {
  UnixStream in, out;
  std::uint32_t sent = 0, received = 0;

  Line() {
    auto [first, second] = UnixStream::pair().value();
    in = std::move(first);
    out = std::move(second);
  }

  /// Sends until it is over, in pieces of random sizes, each as long as it takes or until a time limit that it goes on
  /// after.
  void send(Turn& turn) {
    std::string rest;
    while (turn.goes_on() || !rest.empty()) {
      while (rest.size() < 64 && turn.goes_on()) {
        ++sent;
        rest.append(reinterpret_cast<const char*>(&sent), sizeof sent);
      }
      std::optional<rt::Timeout> timeout;
      if (turn.goes_on() && turn.below(4) == 0) timeout.emplace(turn.timeout());
      const auto put = out.write_some(std::string_view(rest).substr(0, 1 + turn.below(64)));
      if (put)
        rest.erase(0, *put);
      else if (put.error() != Errc::timed_out)
        break;
      turn.delay();
    }
    CHECK(out.shutdown(rt::ShutDown::writing));
  }

  void receive(Turn& turn) {
    std::string rest;
    for (;;) {
      std::optional<rt::Timeout> timeout;
      if (turn.goes_on() && turn.below(4) == 0) timeout.emplace(turn.timeout());
      char buffer[100];
      const auto got = in.read(std::span(buffer, 1 + turn.below(100)));
      if (!got) {
        if (got.error() != Errc::timed_out) break;
        continue;
      }
      if (*got == 0) break;
      rest.append(buffer, *got);
      for (; rest.size() >= sizeof received; rest.erase(0, sizeof received)) {
        std::uint32_t number;
        std::copy_n(rest.data(), sizeof number, reinterpret_cast<char*>(&number));
        if (number != ++received) return;
      }
      turn.delay();
    }
  }
};

} // namespace

TEST_CASE("numbers arrive in order, whatever is timed out, between the fibers of two threads") {
  with_each_engine([] {
    constexpr unsigned count = 50;
    std::vector<std::unique_ptr<Line>> lines;
    for (unsigned i = 0; i < 2 * count; ++i) lines.push_back(std::make_unique<Line>());
    // Each thread sends on one half of the lines and receives on the other.
    in_threads(2, [&](unsigned thread) {
      std::vector<rt::Fiber<void>> fibers;
      for (unsigned i = 0; i < 2 * count; ++i)
        fibers.push_back(rt::spawn([&line = *lines[i], sends = (i < count) == (thread == 0), i] {
          Turn turn(i);
          sends ? line.send(turn) : line.receive(turn);
        }));
      for (auto& fiber : fibers) fiber.join();
    });
    for (const auto& line : lines) {
      CHECK(line->sent > 0);
      CHECK(line->received == line->sent);
    }
  });
}

TEST_CASE("a hub that sleeps for descriptors misses no wake-up by another thread") {
  with_each_engine([] {
    struct Desk {
      rt::Semaphore there{0}, back{0};
      std::atomic<unsigned> over = 0;
    } desk;
    std::uint64_t sent = 0;
    in_threads(2, [&](unsigned thread) {
      Turn turn(thread);
      auto [here, there] = UnixStream::pair().value();
      auto reader = rt::spawn([&stream = here] {
        char buffer[16];
        while (stream.read(buffer).value_or(0) > 0) {
        }
      });
      if (thread == 0) {
        for (; turn.goes_on() || sent < 100; ++sent) { // fewer would tell nothing
          desk.there.release();
          if (!desk.back.try_acquire_for(limit)) report_hang();
          if (turn.below(8) == 0) (void)there.write("x"); // a descriptor's event at the same time
        }
        desk.over = 1;
        desk.there.release();
      } else {
        for (;;) {
          if (!desk.there.try_acquire_for(limit)) report_hang();
          if (desk.over) break;
          desk.back.release();
          if (turn.below(8) == 0) (void)there.write("x");
        }
      }
      there.close();
      reader.join();
    });
  });
}

TEST_CASE("fibers are canceled, by their own thread and another one, while data comes") {
  with_each_engine([] {
    constexpr unsigned count = 40;
    struct Place {
      rt::Lock lock;
      rt::Fiber<Errc> fiber;
    };
    std::vector<Place> places(count);
    std::atomic<bool> ready = false, over = false;
    std::atomic<unsigned> canceled = 0, received = 0, other = 0;
    in_threads(2, [&](unsigned thread) {
      Turn turn(thread);
      if (thread == 1) {
        while (!ready) rt::sleep_for(1ms);
        while (!over) {
          Place& place = places[turn.below(count)];
          {
            const std::lock_guard guard(place.lock);
            if (place.fiber.joinable()) place.fiber.cancel();
          }
          turn.delay();
        }
        return;
      }
      std::vector<std::pair<UnixStream, UnixStream>> pairs;
      for (unsigned i = 0; i < count; ++i) pairs.push_back(UnixStream::pair().value());
      const auto read = [](UnixStream& stream) {
        char buffer[16];
        for (;;) {
          const auto got = stream.read(buffer);
          if (!got) return got.error().code;
          if (*got > 0 && buffer[0] == 'e') return Errc::none;
        }
      };
      while (turn.goes_on() || canceled == 0 || received == 0) { // if one never comes, the test hangs and says so
        const unsigned i = turn.below(count);
        {
          const std::lock_guard guard(places[i].lock);
          rt::Fiber<Errc>& fiber = places[i].fiber;
          if (fiber.joinable() && fiber.done()) {
            const Errc code = fiber.join();
            ++(code == Errc::canceled ? canceled : code == Errc::none ? received : other);
          }
          if (!fiber.joinable()) fiber = rt::spawn(read, std::ref(pairs[i].first));
          if (turn.below(8) == 0) fiber.cancel();
        }
        ready = true;
        pairs[i].second.set_nonblocking(true);
        (void)pairs[i].second.write_some(std::string_view(turn.below(2) ? "e" : "x"));
        turn.delay();
        if (turn.below(16) == 0) rt::sleep_for(50us);
      }
      over = true;
      for (auto& place : places) {
        const std::lock_guard guard(place.lock);
        if (!place.fiber.joinable()) continue;
        place.fiber.cancel();
        (void)place.fiber.join();
      }
    });
    CHECK(other == 0);
  });
}

TEST_CASE("descriptors are closed, by their own thread and another one, while they are waited for") {
  with_each_engine([] {
    std::atomic<unsigned> ended = 0, begun = 0, wrong = 0;
    struct Shared {
      rt::Lock lock;
      std::optional<UnixStream> stream, peer;
      bool waited_for = false; // so the other thread may close it
    } shared;
    std::atomic<bool> over = false;
    in_threads(2, [&](unsigned thread) {
      Turn turn(thread);
      if (thread == 1) {
        while (!over) {
          rt::sleep_for(std::chrono::nanoseconds(turn.below(200'000)));
          const std::lock_guard guard(shared.lock);
          if (shared.waited_for) shared.stream->close();
        }
        return;
      }
      while (turn.goes_on()) {
        {
          auto [here, there] = UnixStream::pair().value();
          const std::lock_guard guard(shared.lock);
          shared.waited_for = false;
          shared.stream.emplace(std::move(here));
          shared.peer.emplace(std::move(there));
        }
        ++begun;
        auto reader = rt::spawn([&, number = shared.stream->number()] {
          const auto ready = rt::wait_until_ready(number, rt::Ready::read);
          if (ready.error() != Errc::bad_file_descriptor) ++wrong;
          ++ended;
        });
        rt::yield();
        {
          const std::lock_guard guard(shared.lock);
          shared.waited_for = true;
          if (turn.below(2) == 0) shared.stream->close();
        }
        if (!reader.join_for(limit)) report_hang();
      }
      over = true;
    });
    CHECK(begun > 10);
    CHECK(ended == begun);
    CHECK(wrong == 0);
  });
}

TEST_CASE("connections come and go at a TCP server, some broken off") {
  with_each_engine([] {
    rt::TcpListener listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
    std::atomic<unsigned> answered = 0, broken_off = 0;
    in_threads(2, [&](unsigned thread) {
      if (thread == 0) {
        rt::Group connections;
        while (auto stream = listener.accept())
          connections
              .spawn(
                  [](rt::TcpStream connection) {
                    char buffer[64];
                    for (;;) {
                      const auto got = connection.read(buffer);
                      if (!got || *got == 0 || !connection.write(std::span(buffer, *got))) return;
                    }
                  },
                  std::move(*stream))
              .value();
        connections.join();
        return;
      }
      std::vector<rt::Fiber<void>> clients;
      for (unsigned i = 0; i < 20; ++i)
        clients.push_back(rt::spawn([&, i] {
          Turn turn(i);
          for (unsigned rounds = 0; turn.goes_on() && rounds < 500; ++rounds) {
            rt::TcpStream stream = rt::TcpStream::connect(listener.address()).value();
            const std::string sent(1 + turn.below(500), static_cast<char>('a' + i));
            if (!stream.write(sent)) continue;
            if (turn.below(4) == 0) {
              ++broken_off;
              continue;
            }
            std::string received(sent.size(), '?');
            CHECK(stream.read_exactly(received));
            CHECK(received == sent);
            ++answered;
          }
        }));
      for (auto& client : clients) client.join();
      CHECK(listener.shutdown());
    });
    CHECK(answered > 10);
    CHECK(broken_off > 1);
  });
}
