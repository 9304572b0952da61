// The resolver, against name servers on the loopback interface that do what the tests tell them.

#include "name_server.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/io/address_order.hpp>
#include <rt/io/resolver.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>

using namespace std::chrono_literals;
using dns_test::Asked, dns_test::NameServer, dns_test::Reply;
using rt::Errc;
using rt::dns::Type;
using Replies = std::vector<Reply>;

namespace {

/// The files of a resolver, in a directory of their own.
class Machine {
 public:
  explicit Machine(const std::string& configuration, const std::string& hosts = "") {
    std::ofstream(directory_ + "/hosts") << hosts;
    write(configuration);
  }
  ~Machine() { std::filesystem::remove_all(directory_); }
  Machine(const Machine&) = delete;

  void write(const std::string& configuration) { std::ofstream(directory_ + "/resolv.conf") << configuration; }
  rt::Result<std::vector<rt::Address>> resolve(std::string_view host) { return resolver_.resolve(host, 80); }

  std::vector<std::string> texts(std::string_view host) {
    const auto found = resolve(host);
    INFO(std::string(host), ": ", std::string(found.error().message()));
    REQUIRE(found);
    std::vector<std::string> all;
    for (const rt::Address& address : *found) {
      char buffer[64];
      all.emplace_back(buffer, rt::format_to(buffer, "{}", address));
    }
    return all;
  }

 private:
  static std::string make_directory() {
    std::string path = std::filesystem::temp_directory_path() / "rt-resolver-XXXXXX";
    REQUIRE(mkdtemp(path.data()));
    return path;
  }

  const std::string directory_ = make_directory();
  const std::string hosts_ = directory_ + "/hosts", configuration_ = directory_ + "/resolv.conf";
  rt::Resolver resolver_{{.hosts_file = hosts_.c_str(), .configuration_file = configuration_.c_str()}};
};

std::string asks(const NameServer& server, const std::string& options = "") {
  return "nameserver " + server.address() + "\noptions timeout:5 attempts:1 " + options + "\n";
}

/// A server that knows example.com, by its IPv4 address.
Replies usual(const Asked& asked) {
  if (asked.name != "example.com") return {asked.answer(dns_test::response | dns_test::no_such_name)};
  if (asked.type == Type::a) return {asked.answer().a("example.com", "127.0.0.2")};
  return {asked.answer()};
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("an address is its own answer, whatever the files say") {
  Machine machine("");
  CHECK(machine.texts("192.0.2.1") == Texts{"192.0.2.1:80"});
  CHECK(machine.texts("2001:db8::1") == Texts{"[2001:db8::1]:80"});
  CHECK(machine.texts("[::1]") == Texts{"[::1]:80"});
}

TEST_CASE("what cannot be a host is not looked for") {
  NameServer server(usual);
  Machine machine(asks(server));
  for (const char* wrong : {"", ".", "a b", "1.2.3", "256.1.1.1", "1.2.3.4.", "127.1", "::g", "a..b", "example.com:80"})
    CHECK_MESSAGE(machine.resolve(wrong).error() == Errc::invalid_argument, wrong);
  CHECK(server.questions() == 0);
}

TEST_CASE("the hosts file is asked first") {
  NameServer server(usual);
  Machine machine(asks(server),
                  "127.0.0.3 Example.COM www # example.org\n127.0.0.4\texample.com\nnonsense example.com\n"
                  "127.0.0.5 example.comm");
  CHECK(machine.texts("example.com") == Texts{"127.0.0.3:80", "127.0.0.4:80"});
  CHECK(machine.texts("EXAMPLE.com.") == Texts{"127.0.0.3:80", "127.0.0.4:80"});
  CHECK(machine.texts("www") == Texts{"127.0.0.3:80"});
  CHECK(server.questions() == 0);
  CHECK(machine.resolve("example.org").error() == Errc::host_not_found);
}

TEST_CASE("localhost is this machine, also without files") {
  rt::Resolver resolver({.hosts_file = "/no/such/file", .configuration_file = "/no/such/file"});
  for (const char* name : {"localhost", "LocalHost.", "www.localhost"}) {
    const auto found = resolver.resolve(name, 1);
    REQUIRE(found);
    CHECK(found->size() == 2);
    for (const rt::Address& address : *found)
      CHECK((address == rt::Address::loopback(1) || address == rt::Address::parse("[::1]:1").value()));
  }
  CHECK(resolver.resolve("not-localhost", 1).error() != Errc::none);
}

TEST_CASE("both kinds of address are asked for at the same time, and IPv4 comes last if all can be reached") {
  Replies kept;
  NameServer server([&](const Asked& asked) -> Replies {
    if (asked.type == Type::a)
      kept.push_back(asked.answer().a("example.com", "127.0.0.2").a("example.com", "127.0.0.1"));
    if (asked.type == Type::aaaa) kept.push_back(asked.answer().aaaa("example.com", "::1"));
    return kept.size() == 2 ? std::move(kept) : Replies{};
  });
  Machine machine(asks(server));
  const Texts found = machine.texts("example.com");
  CHECK(std::set(found.begin(), found.end()) == std::set<std::string>{"[::1]:80", "127.0.0.2:80", "127.0.0.1:80"});
  CHECK(found.size() == 3);
  CHECK(server.questions() == 2);
}

TEST_CASE("a host that is not there, one without an address, and servers that fail are told apart") {
  NameServer server([](const Asked& asked) -> Replies {
    if (asked.name == "empty.com") return {asked.answer()};
    if (asked.name == "broken.com") return {asked.answer(dns_test::response | dns_test::server_failure)};
    return {asked.answer(dns_test::response | dns_test::no_such_name)};
  });
  Machine machine(asks(server));
  CHECK(machine.resolve("missing.com").error() == Errc::host_not_found);
  CHECK(machine.resolve("empty.com").error() == Errc::no_address);
  CHECK(machine.resolve("broken.com").error() == Errc::name_server_failure);
}

TEST_CASE("one kind of address is enough when the server fails for the other") {
  NameServer server([](const Asked& asked) -> Replies {
    if (asked.type == Type::aaaa) return {asked.answer(dns_test::response | dns_test::server_failure)};
    return usual(asked);
  });
  Machine machine(asks(server));
  CHECK(machine.texts("example.com") == Texts{"127.0.0.2:80"});
}

TEST_CASE("a short name is looked for below the names to be searched") {
  std::vector<std::string> names;
  NameServer server([&](const Asked& asked) -> Replies {
    if (asked.type == Type::a) names.push_back(asked.name);
    if (asked.name == "www.b.org" && asked.type == Type::a) return {asked.answer().a("www.b.org", "127.0.0.2")};
    return {asked.answer(asked.name == "www.b.org" ? dns_test::response : dns_test::response | dns_test::no_such_name)};
  });
  Machine machine(asks(server) + "search a.org b.org c.org");
  const auto asked_since = [&] {
    const std::lock_guard guard(server.mutex);
    return std::exchange(names, {});
  };
  using Names = std::vector<std::string>;

  CHECK(machine.texts("www") == Texts{"127.0.0.2:80"});
  CHECK(asked_since() == Names{"www.a.org", "www.b.org"});
  CHECK(machine.resolve("x.y").error() == Errc::host_not_found);
  CHECK(asked_since() == Names{"x.y", "x.y.a.org", "x.y.b.org", "x.y.c.org"});
  CHECK(machine.resolve("www.").error() == Errc::host_not_found);
  CHECK(asked_since() == Names{"www"});
  machine.write(asks(server, "ndots:2") + "search a.org");
  CHECK(machine.resolve("x.z").error() == Errc::host_not_found);
  CHECK(asked_since() == Names{"x.z.a.org", "x.z"});
}

TEST_CASE("a search ends where a server fails: the next name might be another host's") {
  NameServer server([](const Asked& asked) -> Replies {
    if (asked.name == "www.a.org") return {asked.answer(dns_test::response | dns_test::server_failure)};
    return {asked.answer().a(asked.name, "127.0.0.2")};
  });
  Machine machine(asks(server) + "search a.org b.org");
  CHECK(machine.resolve("www").error() == Errc::name_server_failure);
}

TEST_CASE("the next server is asked when one fails, refuses, is not there or says nothing") {
  NameServer fails(
      [](const Asked& asked) -> Replies { return {asked.answer(dns_test::response | dns_test::refused)}; });
  NameServer silent([](const Asked&) -> Replies { return {}; });
  NameServer works(usual);
  Machine machine("nameserver " + fails.address() +
                  "\nnameserver 127.0.0.1:" + std::to_string(NameServer::closed_port()) + "\nnameserver " +
                  silent.address() + "\nnameserver " + works.address() + "\noptions timeout:1 attempts:1");
  CHECK(machine.texts("example.com") == Texts{"127.0.0.2:80"});
  CHECK(fails.questions() == 2);
  CHECK(silent.questions() == 2);
}

TEST_CASE("a question that is lost is asked again") {
  int seen = 0;
  NameServer server([&](const Asked& asked) { return ++seen <= 2 ? Replies{} : usual(asked); });
  Machine machine(asks(server));
  machine.write("nameserver " + server.address() + "\noptions timeout:1 attempts:2");
  CHECK(machine.texts("example.com") == Texts{"127.0.0.2:80"});
  CHECK(server.questions() == 4);
}

TEST_CASE("with `rotate` each lookup begins with another server") {
  NameServer first(usual), second(usual);
  Machine machine("nameserver " + first.address() + "\nnameserver " + second.address() + "\noptions rotate");
  CHECK(machine.resolve("a.com").error() == Errc::host_not_found);
  CHECK(machine.resolve("b.com").error() == Errc::host_not_found);
  CHECK(first.questions() == 2);
  CHECK(second.questions() == 2);
}

TEST_CASE("an answer that is too long for a datagram comes over TCP") {
  NameServer server([](const Asked& asked) -> Replies {
    if (!asked.over_tcp) return {asked.answer(dns_test::response | dns_test::truncated)};
    auto answer = asked.answer();
    if (asked.type == Type::a)
      for (int i = 1; i <= 100; ++i) answer.a("@12", ("127.0.1." + std::to_string(i)).c_str());
    return {std::move(answer)};
  });
  Machine machine(asks(server));
  CHECK(machine.texts("example.com").size() == 100);
  CHECK(server.questions() == 4);
}

TEST_CASE("with `use-vc` nothing is asked by datagram") {
  NameServer server([](const Asked& asked) { return asked.over_tcp ? usual(asked) : Replies{}; });
  Machine machine(asks(server, "use-vc"));
  CHECK(machine.texts("example.com") == Texts{"127.0.0.2:80"});
  CHECK(server.questions() == 2);
}

TEST_CASE("an answer over TCP that is truncated as well is a failure") {
  NameServer server(
      [](const Asked& asked) -> Replies { return {asked.answer(dns_test::response | dns_test::truncated)}; });
  Machine machine(asks(server));
  CHECK(machine.resolve("example.com").error() == Errc::name_server_failure);
}

TEST_CASE("answers are kept for as long as they say, also that there is nothing") {
  NameServer server([](const Asked& asked) -> Replies {
    if (asked.name == "gone.com") return {asked.answer(dns_test::response | dns_test::no_such_name).soa("com", 60, 60)};
    if (asked.name == "brief.com") return {asked.answer().a("brief.com", "127.0.0.9", 0).aaaa("brief.com", "::1", 0)};
    return {asked.answer().a("@12", "127.0.0.2").aaaa("@12", "::1")};
  });
  Machine machine(asks(server));
  for (int i = 0; i < 3; ++i) CHECK(machine.texts("example.com").size() == 2);
  CHECK(server.questions() == 2);
  for (int i = 0; i < 3; ++i) CHECK(machine.resolve("gone.com").error() == Errc::host_not_found);
  CHECK(server.questions() == 4);
  for (int i = 0; i < 3; ++i) CHECK(machine.texts("brief.com").size() == 2);
  CHECK(server.questions() == 10);
}

TEST_CASE("what is not the answer is passed over while the answer is waited for") {
  NameServer server([](const Asked& asked) -> Replies {
    const auto false_one = [](const dns_test::Answer& answer) {
      dns_test::Answer made = answer;
      made.a("@12", "6.6.6.6").aaaa("@12", "666::6");
      return made;
    };
    const auto right = usual(asked)[0];
    Replies replies;
    replies.emplace_back(false_one(dns_test::Answer(asked.id ^ 1).question(asked.name, asked.type)));    // wrong id
    replies.emplace_back(false_one(dns_test::Answer(asked.id).question("example.org", asked.type)));     // name
    replies.emplace_back(false_one(dns_test::Answer(asked.id).question(asked.name, Type::soa)));         // type
    replies.emplace_back(false_one(dns_test::Answer(asked.id, 0x100).question(asked.name, asked.type))); // no response
    replies.emplace_back(false_one(asked.answer()), true);                                               // source
    replies.emplace_back(asked.answer().a("@29", "6.6.6.6"));                 // loop in a name
    replies.emplace_back(asked.answer().cname("example.com", "example.com")); // of aliases
    auto cut = false_one(asked.answer());
    cut.bytes.resize(cut.bytes.size() - 2);
    replies.emplace_back(cut);
    replies.emplace_back(dns_test::Bytes{});
    replies.emplace_back(dns_test::Bytes(5, 0xff));
    replies.emplace_back(dns_test::Bytes(1400, 0xff));
    replies.push_back(right);
    return replies;
  });
  Machine machine(asks(server));
  CHECK(machine.texts("example.com") == Texts{"127.0.0.2:80"});
  CHECK(server.questions() == 2);
}

TEST_CASE("ids and ports of questions are never the same for long") {
  std::set<std::uint16_t> ids, ports;
  NameServer server([&](const Asked& asked) {
    ids.insert(asked.id);
    ports.insert(asked.port);
    return usual(asked);
  });
  Machine machine(asks(server));
  for (int i = 0; i < 32; ++i)
    CHECK(machine.resolve("host" + std::to_string(i) + ".com").error() == Errc::host_not_found);
  const std::lock_guard guard(server.mutex);
  CHECK(ids.size() > 48);
  CHECK(ports.size() > 16);
}

TEST_CASE("nobody answers: the lookup ends when its time is over") {
  NameServer server([](const Asked&) -> Replies { return {}; });
  Machine machine("nameserver " + server.address() + "\noptions timeout:1 attempts:1");
  CHECK(machine.resolve("example.com").error() == Errc::timed_out);
}

TEST_CASE("nobody is there: the lookup says so at once") {
  Machine machine("nameserver 127.0.0.1:" + std::to_string(NameServer::closed_port()) + "\noptions timeout:30");
  CHECK(machine.resolve("example.com").error() == Errc::connection_refused);
}

TEST_CASE("a Timeout ends a lookup, in a thread and in a fiber") {
  NameServer server([](const Asked&) -> Replies { return {}; });
  Machine machine("nameserver " + server.address() + "\noptions timeout:30 attempts:5");
  const auto look_up = [&] {
    rt::Timeout limit(30ms);
    CHECK(machine.resolve("example.com").error() == Errc::timed_out);
  };
  SUBCASE("in a thread") { look_up(); }
  SUBCASE("in a fiber") { rt::spawn(look_up).join(); }
}

TEST_CASE("a cancel ends a lookup, and others run meanwhile") {
  NameServer server([](const Asked&) -> Replies { return {}; });
  Machine machine("nameserver " + server.address() + "\noptions timeout:30 attempts:5");
  auto fiber = rt::spawn([&] { CHECK(machine.resolve("example.com").error() == Errc::canceled); });
  while (server.questions() < 2) rt::sleep_for(1ms);
  fiber.cancel();
  fiber.join();
  CHECK(server.questions() == 2);
}

TEST_CASE("a server that never stops sending keeps neither the time from passing nor other fibers from running") {
  std::atomic<bool> stop = false;
  std::atomic<std::uint16_t> victim = 0;
  std::thread flood;
  NameServer server([&](const Asked& asked) -> Replies {
    victim = asked.port;
    if (!flood.joinable() && !stop)
      flood = std::thread([&] {
        while (!stop) server.send_to(victim, dns_test::Bytes(20, 0xff));
      });
    return {};
  });
  Machine machine(asks(server));
  int turns, tries = 200;
  do {
    turns = 0;
    auto lookup = rt::spawn([&] {
      rt::Timeout limit(50ms);
      CHECK(machine.resolve("example.com").error() == Errc::timed_out);
    });
    for (; !lookup.done(); ++turns) rt::sleep_for(1ms);
  } while (--tries != 0 && (victim == 0 || turns <= 3)); // on a busy machine neither need happen in that time
  CHECK(victim != 0);
  CHECK(turns > 3);
  auto canceled = rt::spawn([&] { CHECK(machine.resolve("example.com").error() == Errc::canceled); });
  rt::sleep_for(5ms);
  canceled.cancel();
  canceled.join();
  stop = true;
  const std::lock_guard guard(server.mutex);
  flood.join();
}

TEST_CASE("many fibers look up at once") {
  NameServer server(
      [](const Asked& asked) -> Replies { return {asked.answer().a("@12", "127.0.0.2").aaaa("@12", "::1")}; });
  Machine machine(asks(server));
  std::vector<rt::Fiber<std::size_t>> fibers;
  for (int i = 0; i < 50; ++i)
    fibers.push_back(rt::spawn([&machine, i] {
      const auto found = machine.resolve("host" + std::to_string(i) + ".com");
      return found ? found->size() : 0;
    }));
  for (auto& fiber : fibers) CHECK(fiber.join() == 2);
  CHECK(server.questions() == 100);
}

TEST_CASE("those who look for the same name at the same time share one lookup") {
  const auto answer = [](const Asked& asked) { return asked.answer().a("@12", "127.0.0.2", 0).aaaa("@12", "::1", 0); };
  std::vector<Asked> questions;
  bool answers = false;
  NameServer server([&](const Asked& asked) -> Replies {
    if (answers) return {answer(asked)};
    questions.push_back(asked);
    return {};
  });
  Machine machine(asks(server));
  const auto look_up = [&] {
    const auto found = machine.resolve("example.com");
    return found ? found->size() : 0;
  };
  auto first = rt::spawn(look_up);
  rt::yield();
  auto canceled = rt::spawn([&] { CHECK(machine.resolve("example.com").error() == Errc::canceled); });
  auto in_a_hurry = rt::spawn([&] {
    rt::Timeout limit(1ms);
    CHECK(machine.resolve("example.com").error() == Errc::timed_out);
  });
  std::vector<rt::Fiber<std::size_t>> fibers;
  for (int i = 0; i < 20; ++i) fibers.push_back(rt::spawn(look_up));
  std::size_t in_thread = 0;
  rt::Thread thread([&] { in_thread = look_up(); });
  thread.start().value();
  in_a_hurry.join();
  canceled.cancel();
  canceled.join();
  while (server.questions() < 2) rt::sleep_for(1ms);

  SUBCASE("and all get its answer, though it may not be kept") {}
  SUBCASE("another one goes on when who makes it is canceled") {
    first.cancel();
    CHECK(first.join() == 0);
    while (server.questions() < 4) rt::sleep_for(1ms);
  }
  {
    const std::lock_guard guard(server.mutex);
    answers = true;
    for (const Asked& asked : questions) server.send_to(asked.port, answer(asked).bytes);
  }
  if (first.joinable()) CHECK(first.join() == 2);
  for (auto& fiber : fibers) CHECK(fiber.join() == 2);
  thread.join();
  CHECK(in_thread == 2);
}

TEST_CASE("addresses without a route come last, and else the order stays") {
  const auto address = [](std::string_view text) { return rt::Address::parse(text, 80).value(); };
  std::vector<rt::Address> addresses = {address("fe80::1"), // of a link, but of which?
                                        address("127.0.0.3"), address("127.0.0.1"), address("127.0.0.2")};
  rt::order_by_reachability(addresses);
  CHECK(addresses == std::vector{address("127.0.0.3"), address("127.0.0.1"), address("127.0.0.2"), address("fe80::1")});
}
