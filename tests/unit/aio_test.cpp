// Asynchronous operations, by the same cases on both engines, in threads and in fibers.

#include "io_test.hpp"

#include <rt/hub/timeout.hpp>
#include <rt/io/aio.hpp>
#include <rt/io/selectors.hpp>
#include <rt/io/signal_events.hpp>
#include <rt/kernel/signal_handler.hpp>
#include <rt/sync/event.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace io_test;
namespace aio = rt::aio;
using rt::Errc;

namespace {

// Long enough for anything that is going to happen on a busy machine.
constexpr auto generous = 30s;

bool io_uring_works() {
  static const bool works = aio::Context::open({.engine = aio::Engine::io_uring}).ok();
  return works;
}

/// Runs the function with the options of each engine that works here, in a thread and in a fiber.
template <class F> void on_each_engine(F function) {
  SUBCASE("threads") {
    in_thread_and_in_fiber([function] { function(aio::Options{.engine = aio::Engine::threads}); });
  }
  if (!io_uring_works()) {
    std::puts("SKIPPED operations by io_uring: it is not allowed here");
    return;
  }
  SUBCASE("io_uring") {
    in_thread_and_in_fiber([function] { function(aio::Options{.engine = aio::Engine::io_uring}); });
  }
}

class File {
 public:
  explicit File(std::string_view text = {}) : fd_(mkstemp(path_)) {
    REQUIRE(fd_);
    unlink(path_);
    REQUIRE(pwrite(number(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  int number() const { return fd_.number(); }
  std::string text() const {
    std::string all(1 << 20, '\0');
    all.resize(static_cast<std::size_t>(pread(number(), all.data(), all.size(), 0)));
    return all;
  }

 private:
  char path_[32] = "/tmp/rt-aio-XXXXXX";
  rt::Fd fd_;
};

} // namespace

TEST_CASE("several reads of several files are submitted together") {
  on_each_engine([](const aio::Options& options) {
    const File first("first file"), second("the second file");
    auto io = aio::Context::open(options).value();
    CHECK(io.engine() == (options.engine == aio::Engine::threads ? "threads" : "io_uring"));
    std::array<char, 100> a{}, b{}, c{};
    auto whole = aio::read(first.number(), a, 0), part = aio::read(second.number(), std::span(b).first(6), 4),
         beyond = aio::read(first.number(), c, 1000);
    CHECK(io.submit(whole, part, beyond));
    CHECK(beyond.wait().value() == 0);
    CHECK(part.wait().value() == 6);
    CHECK(whole.wait().value() == 10);
    CHECK(std::string_view(a.data(), 10) == "first file");
    CHECK(std::string_view(b.data(), 6) == "second");
    CHECK(whole.done());
    CHECK(whole.result().value() == 10);
    CHECK(io.look() == 0);
  });
}

TEST_CASE("writes and syncs") {
  on_each_engine([](const aio::Options& options) {
    const File file;
    auto io = aio::Context::open(options).value();
    auto hello = aio::write(file.number(), std::string_view("hello, "), 0),
         world = aio::write(file.number(), std::string_view("world"), 7);
    CHECK(io.submit(hello, world));
    CHECK(io.run());
    CHECK(hello.result().value() == 7);
    CHECK(world.result().value() == 5);
    auto all = aio::sync(file.number()), data = aio::sync(file.number(), aio::Sync::data);
    CHECK(io.submit(all, data));
    CHECK(all.wait().value() == 0);
    CHECK(data.wait().value() == 0);
    CHECK(file.text() == "hello, world");
  });
}

TEST_CASE("operations complete in the order in which data comes, whatever the order was in which they were submitted") {
  on_each_engine([](const aio::Options& options) {
    constexpr std::size_t count = 12; // more than there are threads
    std::vector<Pair> pipes;
    std::vector<std::unique_ptr<aio::Operation>> reads;
    std::array<std::array<char, 8>, count> buffers;
    std::vector<aio::Operation*> all;
    std::map<aio::Operation*, std::size_t> numbers;
    auto io = aio::Context::open(options).value();
    for (std::size_t i = 0; i < count; ++i) {
      pipes.push_back(make_pipe());
      if (i % 2) fcntl(pipes[i].a.number(), F_SETFL, 0); // blocking ones as well
      reads.emplace_back(new aio::Operation(aio::read(pipes[i].a.number(), buffers[i])));
      all.push_back(reads.back().get());
      numbers[all.back()] = i;
    }
    CHECK(io.submit(all));
    CHECK(io.next_for(5ms).error() == Errc::timed_out);
    CHECK(io.look() == count);
    for (const std::size_t i : {7u, 3u, 11u, 0u, 1u, 2u, 10u, 9u, 4u, 5u, 6u, 8u}) {
      CHECK_FALSE(all[i]->done());
      CHECK(all[i]->result().error() == Errc::still_open);
      send_text(pipes[i].b, "data");
      aio::Operation* const completed = io.next_for(generous).value();
      CHECK(numbers[completed] == i);
      CHECK(completed->result().value() == 4);
    }
    CHECK(io.next().error() == Errc::empty);
  });
}

TEST_CASE("an operation that waits for data can be canceled") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    auto [c, d] = make_sockets();
    std::array<char, 8> first, second, third;
    auto io = aio::Context::open(options).value();
    auto pipe = aio::read(a.number(), first), socket = aio::read(c.number(), second),
         other = aio::read(c.number(), third);
    CHECK(io.submit(pipe, socket, other));
    rt::sleep_for(2ms);
    CHECK(io.look() == 3);
    pipe.cancel();
    pipe.cancel();
    CHECK(pipe.wait_for(generous).error() == Errc::canceled);
    other.cancel();
    CHECK(other.wait_for(generous).error() == Errc::canceled);
    send_text(d, "still");
    CHECK(socket.wait_for(generous).value() == 5);
    socket.cancel(); // too late
    CHECK(socket.result().value() == 5);
    CHECK(io.submit(pipe));
    send_text(b, "again");
    CHECK(pipe.wait_for(generous).value() == 5);
  });
}

TEST_CASE("an operation that is canceled at once completes") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    std::array<char, 8> buffer;
    auto io = aio::Context::open(options).value();
    for (int i = 0; i < 100; ++i) {
      auto read = aio::read(a.number(), buffer);
      CHECK(io.submit(read));
      read.cancel();
      CHECK(read.wait_for(generous).error() == Errc::canceled);
    }
  });
}

TEST_CASE("an operation that goes out of scope is canceled first; so are all of a Context that does") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    std::array<char, 8> buffer;
    auto io = aio::Context::open(options).value();
    {
      auto read = aio::read(a.number(), buffer);
      CHECK(io.submit(read));
    }
    CHECK(io.look() == 0);
    auto outer = aio::read(a.number(), buffer);
    {
      auto inner = aio::Context::open(options).value();
      CHECK(inner.submit(outer));
    }
    CHECK(outer.result().error() == Errc::canceled);
    send_text(b, "x");
    CHECK(receive_text(a) == "x"); // nobody has read it
  });
}

TEST_CASE("errors are the operation's, not the submission's") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    std::array<char, 8> buffer;
    auto io = aio::Context::open(options).value();
    auto not_open = aio::read(12345, buffer), for_writing = aio::read(b.number(), buffer), pipe = aio::sync(a.number());
    CHECK(io.submit(not_open, for_writing, pipe));
    CHECK(not_open.wait_for(generous).error() == Errc::bad_file_descriptor);
    CHECK(for_writing.wait_for(generous).error() == Errc::bad_file_descriptor);
    CHECK(pipe.wait_for(generous).error() == Errc::invalid_argument);
    auto never = aio::read(a.number(), buffer);
    CHECK(never.wait().error() == Errc::invalid_argument);
    never.cancel();
    CHECK(never.result().error() == Errc::still_open);
  });
}

TEST_CASE("an operation that has not completed cannot be submitted again, and the others with it are not") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    const File file("text");
    std::array<char, 8> buffer, other_buffer;
    auto io = aio::Context::open(options).value();
    auto read = aio::read(a.number(), buffer), other = aio::read(file.number(), other_buffer, 0);
    CHECK(io.submit(read));
    CHECK(io.submit(other, read).error() == Errc::already_started);
    CHECK(io.look() == 1);
    CHECK(other.wait().error() == Errc::invalid_argument);
    for (int i = 0; i < 3; ++i) {
      CHECK(io.submit(other));
      CHECK(other.wait_for(generous).value() == 4);
    }
  });
}

TEST_CASE("callbacks are called in the order of completion, by whoever waits") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    auto [c, d] = make_pipe();
    std::array<char, 8> first, second;
    std::string calls;
    auto io = aio::Context::open(options).value();
    auto one = aio::read(a.number(), first), two = aio::read(c.number(), second);
    one.then([&](aio::Operation& done) { calls += "one " + std::to_string(done.result().value()) + ";"; });
    two.then([&](aio::Operation& done) {
      CHECK(done.done());
      calls += "two " + std::to_string(done.result().value()) + ";";
      send_text(b, "data");
    });
    CHECK(io.submit(one, two));
    io.look();
    CHECK(calls.empty());
    send_text(d, "hi");
    CHECK(io.run());
    CHECK(calls == "two 2;one 4;");
    CHECK(io.next().error() == Errc::empty);
  });
}

TEST_CASE("a callback may submit its operation again, or destroy it") {
  on_each_engine([](const aio::Options& options) {
    const File file("0123456789");
    auto io = aio::Context::open(options).value();
    std::array<char, 4> buffer;
    int times = 0;
    auto read = std::make_unique<aio::Operation>(aio::Kind::read, file.number(), buffer.data(), buffer.size(), 0);
    std::function<void(aio::Operation&)> again = [&](aio::Operation& done) {
      CHECK(&done == read.get());
      if (++times == 5) return read.reset();
      done.then(again);
      CHECK(io.submit(done));
    };
    read->then(again);
    CHECK(io.submit(*read));
    CHECK(io.run());
    CHECK(times == 5);
  });
}

TEST_CASE("more operations than a ring has room for wait their turn") {
  on_each_engine([](aio::Options options) {
    options.entries = 2;
    const File file(std::string(1000, 'x'));
    auto io = aio::Context::open(options).value();
    constexpr std::size_t count = 500;
    std::vector<std::unique_ptr<aio::Operation>> reads;
    std::vector<aio::Operation*> all;
    std::array<char, count> buffer{};
    for (std::size_t i = 0; i < count; ++i) {
      reads.emplace_back(new aio::Operation(aio::read(file.number(), std::span(buffer).subspan(i, 1), i)));
      all.push_back(reads.back().get());
    }
    CHECK(io.submit(all));
    for (std::size_t i = 0; i < count; ++i) CHECK(io.next_for(generous).value()->result().value() == 1);
    CHECK(io.next().error() == Errc::empty);
    CHECK(std::string_view(buffer.data(), count) == std::string(count, 'x'));

    auto [a, b] = make_pipe(); // those that wait for room can be canceled, too
    std::array<char, 8> pipe_buffer;
    reads.clear();
    all.clear();
    for (std::size_t i = 0; i < 20; ++i) {
      reads.emplace_back(new aio::Operation(aio::read(a.number(), pipe_buffer)));
      all.push_back(reads.back().get());
    }
    CHECK(io.submit(all));
    for (std::size_t i = 20; i-- > 0;) reads[i]->cancel();
    for (std::size_t i = 0; i < 20; ++i) CHECK(reads[i]->wait_for(generous).error() == Errc::canceled);
  });
}

TEST_CASE("the fibers of a thread each wait for an operation of their own") {
  for (const auto engine : {aio::Engine::threads, aio::Engine::automatic}) {
    auto io = aio::Context::open({.engine = engine}).value();
    std::vector<Pair> pipes;
    std::vector<rt::Fiber<std::size_t>> fibers;
    for (std::size_t i = 0; i < 20; ++i) pipes.push_back(make_pipe());
    for (std::size_t i = 0; i < 20; ++i)
      fibers.push_back(rt::spawn([&, i] {
        std::array<char, 64> buffer;
        auto read = aio::read(pipes[i].a.number(), buffer);
        CHECK(io.submit(read));
        return read.wait_for(generous).value();
      }));
    rt::sleep_for(5ms);
    for (std::size_t i = 20; i-- > 0;) {
      CHECK_FALSE(fibers[i].done());
      send_text(pipes[i].b, std::string(i + 1, 'x'));
      CHECK(fibers[i].join() == i + 1);
    }
  }
}

TEST_CASE("threads may share a Context") {
  for (const auto engine : {aio::Engine::threads, aio::Engine::automatic}) {
    const File file("0123456789");
    auto io = aio::Context::open({.engine = engine}).value();
    std::atomic<int> right = 0;
    const auto work = [&] {
      for (int i = 0; i < 200; ++i) {
        char one = 0, two = 0;
        auto first = aio::read(file.number(), {&one, 1}, 3), second = aio::read(file.number(), {&two, 1}, 8);
        (void)io.submit(first, second);
        const bool read_both = second.wait_for(generous).ok() && first.wait_for(generous).ok();
        right += read_both && one == '3' && two == '8';
      }
    };
    rt::Thread threads[] = {rt::Thread(work), rt::Thread(work), rt::Thread(work)};
    for (auto& thread : threads) thread.start().value();
    for (auto& thread : threads) thread.join();
    CHECK(right == 600);
  }
}

TEST_CASE("a Timeout ends the wait, not the operation") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    std::array<char, 8> buffer;
    auto io = aio::Context::open(options).value();
    auto read = aio::read(a.number(), buffer);
    CHECK(io.submit(read));
    {
      const rt::Timeout limit(5ms);
      CHECK(read.wait().error() == Errc::timed_out);
      CHECK(io.next().error() == Errc::timed_out);
      CHECK(io.run().error() == Errc::timed_out);
    }
    CHECK_FALSE(read.done());
    send_text(b, "data");
    CHECK(read.wait().value() == 4);
  });
}

TEST_CASE("a fiber that is canceled while it waits cancels its operation when that goes out of scope") {
  for (const auto engine : {aio::Engine::threads, aio::Engine::automatic}) {
    auto [a, b] = make_pipe();
    auto io = aio::Context::open({.engine = engine}).value();
    auto fiber = rt::spawn([&, from = a.number()] {
      std::array<char, 8> buffer;
      auto read = aio::read(from, buffer);
      CHECK(io.submit(read));
      const auto size = read.wait();
      CHECK_FALSE(read.done());
      return size.error().code;
    });
    rt::sleep_for(5ms);
    fiber.cancel();
    CHECK(fiber.join() == Errc::canceled);
    CHECK(io.look() == 0);
  }
}

TEST_CASE("a selector waits for completions among other things") {
  on_each_engine([](const aio::Options& options) {
    auto [a, b] = make_pipe();
    std::array<char, 8> buffer;
    auto io = aio::Context::open(options).value();
    rt::DefaultSelector selector;
    CHECK(selector.register_(io, rt::Ready::read));
    auto read = aio::read(a.number(), buffer);
    CHECK(io.submit(read));
    io.look();
    send_text(b, "data");
    for (int i = 0; i < 100 && !read.done(); ++i) {
      CHECK(selector.select(generous).value().size() == 1);
      io.look();
    }
    CHECK(read.result().value() == 4);
    io.look();
    CHECK(selector.select(0s).value().empty());
  });
}

TEST_CASE("the kernel sends a signal when an operation has completed") {
  static constexpr auto signal = static_cast<rt::Signal>(41);
  std::signal(static_cast<int>(signal), SIG_IGN); // one that is still pending in the end
  // To the process: no other thread may take it.
  auto signals = rt::SignalEvents::open(rt::SignalSet(signal)).value();
  on_each_engine([&signals](aio::Options options) {
    options.signal = signal;
    auto [a, b] = make_pipe();
    const File file("text");
    std::array<char, 8> first, second;
    auto io = aio::Context::open(options).value();
    auto slow = aio::read(a.number(), first), fast = aio::read(file.number(), second, 0);
    CHECK(io.submit(slow, fast));
    while (!fast.done()) {
      REQUIRE(signals.wait_for(generous));
      io.look();
    }
    CHECK_FALSE(slow.done());
    send_text(b, "data");
    while (!slow.done()) {
      REQUIRE(signals.wait_for(generous));
      io.look();
    }
    CHECK(slow.result().value() == 4);
    // A failure is a completion as well.
    auto fails = aio::read(b.number(), first);
    CHECK(io.submit(fails));
    while (!fails.done()) {
      REQUIRE(signals.wait_for(generous));
      io.look();
    }
    CHECK(fails.result().error() == Errc::bad_file_descriptor);
  });
}

TEST_CASE("RT_AIO chooses the engine, and a wrong choice is an error") {
  // The environment is the one that the program was started with, so this needs another one.
  const char* const name = std::getenv("RT_AIO");
  if (!name) {
    for (const auto& [value, code] :
         std::map<std::string, int>{{"threads", 0}, {"io_uring", 0}, {"else", 1}, {"", 0}}) {
      if (value == "io_uring" && !io_uring_works()) continue;
      CAPTURE(value);
      char self[4096] = {};
      REQUIRE(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
      const std::string run = "RT_AIO=" + value + " timeout 60 " + self + " -tc='RT_AIO chooses*' >/dev/null";
      CHECK(std::system(run.c_str()) == 0);
    }
    return;
  }
  const auto io = aio::Context::open();
  const std::string value = name;
  if (value == "else")
    CHECK(io.error() == Errc::invalid_argument);
  else if (!value.empty())
    CHECK(io.value().engine() == value);
  else
    CHECK(io.ok());
}

TEST_CASE("an engine without threads or without entries is refused") {
  CHECK(aio::Context::open({.entries = 0}).error() == Errc::invalid_argument);
  CHECK(aio::Context::open({.threads = 0}).error() == Errc::invalid_argument);
}
