// All selectors, by the same cases, in threads and in fibers.

#include "io_test.hpp"

#include <rt/hub/timeout.hpp>
#include <rt/io/selectors.hpp>
#include <rt/io/wait_for_several.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

using namespace std::chrono_literals;
using namespace io_test;
using rt::Errc;
using rt::Ready;

TYPE_TO_STRING(rt::SelectSelector);
TYPE_TO_STRING(rt::PollSelector);
TYPE_TO_STRING(rt::EpollSelector);
#define EACH_SELECTOR rt::SelectSelector, rt::PollSelector, rt::EpollSelector

namespace {

// Long enough for anything that is going to happen on a busy machine.
constexpr auto generous = 30s;
constexpr Ready both = Ready::read | Ready::write;

template <class Selector> std::vector<rt::SelectorEvent> select_now(Selector& selector) {
  return selector.select(0s).value();
}

std::vector<int> descriptors(const std::vector<rt::SelectorEvent>& events) {
  std::vector<int> numbers;
  for (const auto& event : events) numbers.push_back(event.key.fd);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

} // namespace

TEST_CASE_TEMPLATE("a descriptor is ready to read when something has come", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_sockets();
    Selector selector;
    CHECK(selector.register_(a, Ready::read));
    CHECK(select_now(selector).empty());
    send_text(b, "hi");
    for (int i = 0; i < 2; ++i) { // as long as nobody has read it
      const auto events = selector.select().value();
      REQUIRE(events.size() == 1);
      CHECK(events[0].key.fd == a.number());
      CHECK(events[0].key.events == Ready::read);
      CHECK(events[0].events == Ready::read);
    }
    CHECK(receive_text(a) == "hi");
    CHECK(select_now(selector).empty());
  });
}

TEST_CASE_TEMPLATE("a descriptor is ready for just what is waited for", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_sockets();
    send_text(b, "hi");
    Selector selector;
    CHECK(selector.register_(a, both));
    CHECK(select_now(selector).at(0).events == both);
    CHECK(selector.modify(a, Ready::read));
    CHECK(select_now(selector).at(0).events == Ready::read);
    CHECK(selector.modify(a, Ready::write));
    CHECK(select_now(selector).at(0).events == Ready::write);
    fill(a);
    CHECK(select_now(selector).empty());
    CHECK(selector.modify(a, both));
    CHECK(select_now(selector).at(0).events == Ready::read);
    CHECK(select_now(selector).at(0).key.events == both);
  });
}

TEST_CASE_TEMPLATE("select waits until a descriptor becomes ready", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_sockets();
    auto [c, d] = make_sockets();
    Selector selector;
    CHECK(selector.register_(a, Ready::read));
    CHECK(selector.register_(c, Ready::read));
    rt::Thread sender([to = d.number()] {
      rt::sleep_for(20ms);
      (void)!write(to, "x", 1);
    });
    sender.start().value();
    const auto events = selector.select(generous).value();
    CHECK(descriptors(events) == std::vector{c.number()});
    sender.join();
  });
}

TEST_CASE_TEMPLATE("select waits until there is room to write", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_pipe();
    fill(b);
    Selector selector;
    CHECK(selector.register_(b, Ready::write));
    CHECK(select_now(selector).empty());
    rt::Thread reader([from = a.number()] {
      rt::sleep_for(20ms);
      char buffer[8192];
      (void)!read(from, buffer, sizeof buffer);
    });
    reader.start().value();
    CHECK(selector.select(generous).value().at(0).events == Ready::write);
    reader.join();
  });
}

TEST_CASE_TEMPLATE("when the time is over, select returns no events", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_sockets();
    Selector selector;
    for (const bool registered : {false, true}) { // without descriptors it waits as well
      if (registered) CHECK(selector.register_(a, Ready::read));
      for (const auto timeout : {0ms, -5ms, 1ms, 30ms}) {
        const auto begin = rt::Clock::now();
        const auto events = selector.select(timeout);
        REQUIRE(events);
        CHECK(events.value().empty());
        const auto took = rt::Clock::now() - begin;
        CHECK(took >= timeout);
        CHECK(took < timeout + generous);
      }
    }
  });
}

TEST_CASE_TEMPLATE("all descriptors that are ready are told at once", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    std::vector<Pair> pairs;
    Selector selector;
    std::vector<int> ready;
    for (int i = 0; i < 200; ++i) {
      pairs.push_back(make_sockets());
      CHECK(selector.register_(pairs.back().a, Ready::read));
      if (i % 3 == 0) continue;
      send_text(pairs.back().b, "x");
      ready.push_back(pairs.back().a.number());
    }
    CHECK(descriptors(select_now(selector)) == ready);
    CHECK(selector.keys().size() == 200);
  });
}

TEST_CASE_TEMPLATE("a descriptor can be registered once", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  Selector selector;
  CHECK(selector.register_(a, Ready::read, 1));
  CHECK(selector.register_(a, Ready::write, 2).error() == Errc::file_exists);
  CHECK(*selector.get_key(a).value().data.template get<int>() == 1);
  CHECK(selector.unregister(a));
  CHECK(selector.register_(a, Ready::write, 2));
}

TEST_CASE_TEMPLATE("what is not registered can be neither modified, unregistered nor got", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  Selector selector;
  CHECK(selector.register_(b, Ready::read));
  CHECK(selector.modify(a, Ready::read).error() == Errc::no_such_file_or_directory);
  CHECK(selector.unregister(a).error() == Errc::no_such_file_or_directory);
  CHECK(selector.get_key(a).error() == Errc::no_such_file_or_directory);
  CHECK(selector.get_key(-1).error() == Errc::no_such_file_or_directory);
  CHECK(selector.get_key(1'000'000'000).error() == Errc::no_such_file_or_directory);
}

TEST_CASE_TEMPLATE("one waits for reading, for writing or for both, and for nothing else", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  Selector selector;
  for (const Ready wrong : {Ready::none, Ready::error, Ready::hang_up | Ready::read, static_cast<Ready>(~0u)})
    CHECK(selector.register_(a, wrong).error() == Errc::invalid_argument);
  CHECK(selector.register_(a, Ready::read));
  CHECK(selector.modify(a, Ready::none).error() == Errc::invalid_argument);
  CHECK(selector.modify(a, Ready::urgent).error() == Errc::invalid_argument);
  CHECK(selector.get_key(a).value().events == Ready::read);
}

TEST_CASE_TEMPLATE("what is not open cannot be registered", Selector, EACH_SELECTOR) {
  Selector selector;
  CHECK(selector.register_(-1, Ready::read).error() == Errc::bad_file_descriptor);
  CHECK(selector.register_(1000, Ready::read).error() == Errc::bad_file_descriptor);
  CHECK_FALSE(selector.register_(2'000'000'000, Ready::read));
  CHECK(selector.keys().empty());
}

TEST_CASE_TEMPLATE("keys keep data of any type, and share it with their copies", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  auto shared = std::make_shared<std::string>("data");
  {
    Selector selector;
    auto key = selector.register_(a, Ready::read, shared).value();
    CHECK(shared.use_count() == 2);
    CHECK(key.data.template get<std::shared_ptr<std::string>>()->get() == shared.get());
    CHECK(key.data.template get<int>() == nullptr);
    CHECK(selector.get_key(a).value().data == key.data);
    send_text(b, "x");
    CHECK(select_now(selector).at(0).key.data == key.data);

    CHECK(selector.modify(a, Ready::read, 42));
    CHECK(*selector.get_key(a).value().data.template get<int>() == 42);
    CHECK(shared.use_count() == 2); // the key that we have
    key = {};
    CHECK(shared.use_count() == 1);
    CHECK_FALSE(key.data);

    CHECK(selector.modify(a, Ready::read, shared));
  }
  CHECK(shared.use_count() == 1);
}

TEST_CASE_TEMPLATE("data that can be called is a callback", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  Selector selector;
  std::string calls;
  CHECK(selector.register_(a, both, [&](const rt::SelectorKey& key, Ready events) {
    calls += events == Ready::write ? "w" : "rw";
    if (any(events & Ready::read)) CHECK(selector.unregister(key.fd)); // its own key: the event keeps it
    calls += "!";
  }));
  CHECK(selector.register_(b, Ready::read, "no callback"));
  for (const auto& event : select_now(selector)) CHECK(event.call());
  CHECK(calls == "w!");
  send_text(b, "x");
  send_text(a, "y");
  for (const auto& event : select_now(selector)) CHECK(event.call() == (event.key.fd == a.number()));
  CHECK(calls == "w!rw!");
  CHECK(selector.keys().size() == 1);
}

TEST_CASE_TEMPLATE("a callback may be a plain function", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  static int called_with = -1;
  Selector selector;
  void (*const callback)(const rt::SelectorKey&, Ready) = [](const rt::SelectorKey& key, Ready) {
    called_with = key.fd;
  };
  CHECK(selector.register_(a, Ready::write, callback));
  CHECK(select_now(selector).at(0).call());
  CHECK(called_with == a.number());
}

TEST_CASE_TEMPLATE("after a descriptor was unregistered the others are told as before", Selector, EACH_SELECTOR) {
  std::vector<Pair> pairs;
  Selector selector;
  for (int i = 0; i < 5; ++i) {
    pairs.push_back(make_sockets());
    send_text(pairs.back().b, "x");
    CHECK(selector.register_(pairs.back().a, Ready::read, i));
  }
  for (const int gone : {0, 4, 2}) {
    const auto key = selector.unregister(pairs[static_cast<std::size_t>(gone)].a).value();
    CHECK(*key.data.template get<int>() == gone);
    for (const auto& event : select_now(selector)) {
      const int index = *event.key.data.template get<int>();
      CHECK(event.key.fd == pairs[static_cast<std::size_t>(index)].a.number());
      CHECK(event.events == Ready::read);
    }
  }
  CHECK(descriptors(select_now(selector)) == std::vector{pairs[1].a.number(), pairs[3].a.number()});
  std::vector<int> registered;
  for (const auto& key : selector.keys()) registered.push_back(key.fd);
  std::sort(registered.begin(), registered.end());
  CHECK(registered == std::vector{pairs[1].a.number(), pairs[3].a.number()});
}

TEST_CASE_TEMPLATE("the other side's end is something to read", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_sockets();
    auto [reads, writes] = make_pipe();
    Selector selector;
    CHECK(selector.register_(a, Ready::read));
    CHECK(selector.register_(reads, Ready::read));
    b.close();
    writes.close();
    CHECK(descriptors(selector.select(generous).value()) == std::vector{a.number(), reads.number()});
    CHECK(receive_text(a).empty());
    CHECK(receive_text(reads).empty());
  });
}

TEST_CASE_TEMPLATE("a pipe without readers is ready to write, so that writing tells", Selector, EACH_SELECTOR) {
  in_thread_and_in_fiber([] {
    auto [reads, writes] = make_pipe();
    fill(writes);
    Selector selector;
    CHECK(selector.register_(writes, Ready::write));
    reads.close();
    CHECK(selector.select(generous).value().at(0).events == Ready::write);
  });
}

TEST_CASE_TEMPLATE("a descriptor that was closed can be unregistered, and its number registered again", Selector,
                   EACH_SELECTOR) {
  Selector selector;
  int number = -1;
  {
    auto [a, b] = make_sockets();
    number = a.number();
    CHECK(selector.register_(a, Ready::read));
  }
  CHECK(selector.unregister(number));
  CHECK(select_now(selector).empty());
  auto [a, b] = make_sockets();
  REQUIRE(a.number() == number);
  send_text(b, "x");
  CHECK(selector.register_(a, Ready::read));
  CHECK(descriptors(select_now(selector)) == std::vector{number});
}

TEST_CASE("a registered descriptor that is closed makes select fail") {
  in_thread_and_in_fiber([] {
    rt::SelectSelector selector;
    auto [a, b] = make_sockets();
    CHECK(selector.register_(a, Ready::read));
    a.close();
    CHECK(selector.select(generous).error() == Errc::bad_file_descriptor);
  });
}

TEST_CASE("a registered descriptor that is closed is ready for all to poll, so that using it tells") {
  in_thread_and_in_fiber([] {
    rt::PollSelector selector;
    auto [a, b] = make_sockets();
    CHECK(selector.register_(a, both));
    a.close();
    CHECK(selector.select(generous).value().at(0).events == both);
  });
}

TEST_CASE("a registered descriptor that is closed is forgotten by epoll; to modify it unregisters it") {
  in_thread_and_in_fiber([] {
    rt::EpollSelector selector;
    auto [a, b] = make_sockets();
    const int number = a.number();
    CHECK(selector.register_(a, Ready::write));
    a.close();
    CHECK(select_now(selector).empty());
    CHECK(selector.modify(number, Ready::write, "data only").ok());
    CHECK(selector.modify(number, Ready::read).error() == Errc::bad_file_descriptor);
    CHECK(selector.get_key(number).error() == Errc::no_such_file_or_directory);
  });
}

TEST_CASE("a file is always ready to select and poll, and refused by epoll") {
  char path[] = "/tmp/rt-selector-XXXXXX";
  const rt::Fd file(mkstemp(path));
  REQUIRE(file);
  unlink(path);
  rt::SelectSelector select;
  rt::PollSelector poll;
  rt::EpollSelector epoll;
  CHECK(select.register_(file, both));
  CHECK(select_now(select).at(0).events == both);
  CHECK(poll.register_(file, both));
  CHECK(select_now(poll).at(0).events == both);
  CHECK(epoll.register_(file, both).error() == Errc::operation_not_permitted);
  CHECK(epoll.keys().empty());
}

TEST_CASE("select's limit of 1024 descriptors is an error that says so; poll and epoll have none") {
  rlimit limit;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit before = limit;
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 2048));
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  {
    auto [a, b] = make_sockets();
    const rt::Fd last(fcntl(a.number(), F_DUPFD_CLOEXEC, 1023)), beyond(fcntl(a.number(), F_DUPFD_CLOEXEC, 1024));
    REQUIRE(last.number() == 1023);
    REQUIRE(beyond.number() >= 1024);
    send_text(b, "x");
    rt::SelectSelector select;
    CHECK(select.register_(last, Ready::read));
    const auto refused = select.register_(beyond, Ready::read);
    CHECK(refused.error() == Errc::descriptor_too_large);
    CHECK(refused.error().message() == "select cannot wait for a descriptor above 1023");
    CHECK(descriptors(select_now(select)) == std::vector{1023});
    rt::PollSelector poll;
    rt::EpollSelector epoll;
    CHECK(poll.register_(beyond, Ready::read));
    CHECK(epoll.register_(beyond, Ready::read));
    CHECK(descriptors(select_now(poll)) == std::vector{beyond.number()});
    CHECK(descriptors(select_now(epoll)) == std::vector{beyond.number()});
  }
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE_TEMPLATE("after close everything fails", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  Selector selector;
  CHECK(selector.register_(a, Ready::read));
  selector.close();
  CHECK(selector.keys().empty());
  CHECK(selector.register_(b, Ready::read).error() == Errc::closed);
  CHECK(selector.modify(a, Ready::read).error() == Errc::closed);
  CHECK(selector.unregister(a).error() == Errc::closed);
  CHECK(selector.get_key(a).error() == Errc::closed);
  CHECK(selector.select().error() == Errc::closed);
  selector.close();
}

TEST_CASE_TEMPLATE("selectors close what they have opened", Selector, EACH_SELECTOR) {
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  auto [a, b] = make_sockets();
  std::ptrdiff_t before = 0;
  for (int i = 0; i < 4; ++i) {
    {
      Selector selector;
      CHECK(selector.register_(a, Ready::read));
      auto fiber = rt::spawn([&] { return selector.select(5ms).value().size(); });
      CHECK(fiber.join() == 0);
    }
    if (i == 0) before = open_descriptors(); // with those that the hub keeps
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE_TEMPLATE("a Timeout and a cancel end select", Selector, EACH_SELECTOR) {
  auto [a, b] = make_sockets();
  Selector selector;
  CHECK(selector.register_(a, Ready::read));
  {
    const rt::Timeout limit(20ms);
    CHECK(selector.select().error() == Errc::timed_out);
    CHECK(selector.select(generous).error() == Errc::timed_out);
  }
  rt::Thread thread([&] {
    const rt::Timeout limit(20ms);
    CHECK(selector.select(generous).error() == Errc::timed_out);
  });
  thread.start().value();
  thread.join();
  auto fiber = rt::spawn([&] { return selector.select(generous).error().code; });
  rt::sleep_for(5ms);
  fiber.cancel();
  CHECK(fiber.join() == Errc::canceled);
}

TEST_CASE_TEMPLATE("the fibers of a thread each wait in a selector of their own", Selector, EACH_SELECTOR) {
  constexpr int count = 20, rounds = 50;
  std::vector<rt::Fiber<int>> fibers;
  std::vector<Pair> pairs;
  for (int i = 0; i < count; ++i) pairs.push_back(make_sockets());
  // A ring: each passes on what it gets.
  for (std::size_t i = 0; i < count; ++i)
    fibers.push_back(rt::spawn([&, i] {
      Selector selector;
      CHECK(selector.register_(pairs[i].a, Ready::read));
      int got = 0;
      for (; got < rounds; ++got) {
        if (selector.select(generous).value().size() != 1) break;
        const auto text = receive_text(pairs[i].a);
        send_text(pairs[(i + 1) % count].b, text);
      }
      return got;
    }));
  send_text(pairs[0].b, "x");
  for (auto& fiber : fibers) CHECK(fiber.join() == rounds);
}

TEST_CASE("a hang-up that nobody waits for does not make a waiting fiber spin") {
  auto [reads, writes] = make_pipe();
  rt::SelectSelector selector;
  CHECK(selector.register_(reads, Ready::write)); // never
  writes.close();
  auto fiber = rt::spawn([&] { return selector.select(100ms).value().size(); });
  const auto before = rt::hub_info().switches;
  CHECK(fiber.join() == 0);
  CHECK(rt::hub_info().switches - before < 20);
}

TEST_CASE("an EpollSelector is a descriptor that another selector can wait for") {
  auto [a, b] = make_sockets();
  rt::EpollSelector inner;
  rt::PollSelector outer;
  CHECK(outer.register_(inner.number().value(), Ready::read));
  CHECK(inner.register_(a, Ready::read));
  CHECK(select_now(outer).empty());
  send_text(b, "x");
  CHECK(select_now(outer).size() == 1);
}

TEST_CASE("waiting for several descriptors tells how many are ready") {
  in_thread_and_in_fiber([] {
    auto [a, b] = make_sockets();
    auto [c, d] = make_sockets();
    rt::kernel::Polled polled[] = {{a.number(), Ready::read}, {c.number(), Ready::read}, {}, {a.number(), both}};
    CHECK(rt::wait_for_several({polled, 2}, rt::Deadline::after(5ms)).value() == 0);
    rt::Thread sender([to = b.number()] {
      rt::sleep_for(10ms);
      (void)!write(to, "x", 1);
    });
    sender.start().value();
    CHECK(rt::wait_for_several({polled, 2}, rt::Deadline::after(generous)).value() == 1);
    CHECK(polled[0].ready() == Ready::read);
    CHECK(polled[1].ready() == Ready::none);
    CHECK(rt::wait_for_several(polled, rt::Deadline::after(generous)).value() == 2);
    CHECK(polled[3].ready() == both);
    sender.join();
    CHECK(receive_text(a) == "x");
    fill(a);
    // The same one twice, and the second entry is the one that becomes ready.
    polled[0] = {a.number(), Ready::write};
    polled[3] = {a.number(), Ready::read};
    rt::Thread again([to = b.number()] {
      rt::sleep_for(10ms);
      (void)!write(to, "x", 1);
    });
    again.start().value();
    CHECK(rt::wait_for_several(polled, rt::Deadline::after(generous)).value() == 1);
    CHECK(polled[3].ready() == Ready::read);
    again.join();
  });
}
