// apps/resolve, against a real name server: dnsmasq, on a port of its own on the loopback interface.

#include "free_port.hpp"
#include "run.hpp"

#include <optional>
#include <set>

namespace {

/// A server with the hosts of example.test, and the files of a resolver that asks it.
class Domain {
 public:
  explicit Domain(const std::string& more_configuration = "") {
    std::vector<std::string> arguments = {"--keep-in-foreground",
                                          "--conf-file=/dev/null",
                                          "--log-facility=-",
                                          "--log-queries",
                                          "--user=",
                                          "--group=",
                                          "--pid-file=",
                                          "--no-resolv",
                                          "--no-hosts",
                                          "--bind-interfaces",
                                          "--listen-address=127.0.0.1",
                                          "--port=" + std::to_string(port_),
                                          "--local=/test/",
                                          "--local-ttl=60",
                                          "--host-record=one.example.test,127.0.0.21",
                                          "--host-record=both.example.test,127.0.0.22,::1",
                                          "--host-record=six.example.test,2001:db8::6",
                                          "--cname=alias.example.test,nick.example.test",
                                          "--cname=nick.example.test,both.example.test",
                                          "--txt-record=text.example.test,nothing else"};
    for (int i = 1; i <= 60; ++i) arguments.push_back("--host-record=many.example.test,127.0.1." + std::to_string(i));
    server_.emplace("/usr/sbin/dnsmasq", arguments);
    std::ofstream(directory_.path() + "/hosts") << "127.0.0.99 here\n";
    std::ofstream(directory_.path() + "/resolv.conf") << "nameserver 127.0.0.1:" << port_ << "\n" << more_configuration;
    await();
  }

  e2e::Ending resolve(std::vector<std::string> names) const {
    names.insert(names.begin(),
                 {"--hosts", directory_.path() + "/hosts", "--config", directory_.path() + "/resolv.conf"});
    return e2e::run(e2e::app("resolve"), names);
  }

  /// The server's log.
  std::string stop() {
    server_->kill(SIGTERM);
    return server_->finish().err;
  }

 private:
  /// Until the server answers.
  void await() const {
    for (int tries = 0; tries < 500; ++tries) {
      if (resolve({"one.example.test"}).by_exit(0)) return;
      usleep(20'000);
    }
    FAIL("dnsmasq does not answer");
  }

  const int port_ = e2e::free_port();
  e2e::TemporaryDirectory directory_;
  std::optional<e2e::Program> server_;
};

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string line(std::string address, const std::string& name) {
  address.resize(std::max<std::size_t>(address.size(), 25), ' ');
  return address + " " + name;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("resolve prints what a real name server says") {
  const Domain domain;
  const auto found = domain.resolve({"one.example.test", "both.example.test", "six.example.test.", "here"});
  INFO(found.out, found.err);
  CHECK(found.by_exit(0));
  CHECK(sorted(found.lines()) == sorted({line("127.0.0.21", "one.example.test"),
                                         line("127.0.0.22", "both.example.test"), line("::1", "both.example.test"),
                                         line("2001:db8::6", "six.example.test."), line("127.0.0.99", "here")}));
}

TEST_CASE("aliases lead to the addresses of what they stand for") {
  const Domain domain;
  const auto found = domain.resolve({"alias.example.test"});
  INFO(found.out, found.err);
  CHECK(sorted(found.lines()) == sorted({line("127.0.0.22", "alias.example.test"), line("::1", "alias.example.test")}));
}

TEST_CASE("an answer that does not fit into a datagram comes whole, over TCP") {
  const Domain domain;
  const auto found = domain.resolve({"many.example.test"});
  INFO(found.out, found.err);
  CHECK(found.by_exit(0));
  const auto lines = found.lines();
  CHECK(std::set(lines.begin(), lines.end()).size() == 60);
}

TEST_CASE("short names are searched for, and both kinds of address are asked for") {
  Domain domain("search other.test example.test\n");
  const auto found = domain.resolve({"one"});
  INFO(found.out, found.err);
  CHECK(found.lines() == Lines{line("127.0.0.21", "one")});
  const std::string log = domain.stop();
  INFO(log);
  for (const char* question : {"query[A] one.other.test", "query[AAAA] one.other.test", "query[A] one.example.test",
                               "query[AAAA] one.example.test"})
    CHECK(e2e::contains(log, question));
}

TEST_CASE("what is missing is one line each, and the others are printed all the same") {
  const Domain domain;
  const auto found = domain.resolve({"missing.example.test", "one.example.test", "text.example.test"});
  CHECK(found.by_exit(1));
  CHECK(found.lines() == Lines{line("127.0.0.21", "one.example.test")});
  CHECK(found.err == "resolve: missing.example.test: host not found\n"
                     "resolve: text.example.test: the host has no address\n");
}

TEST_CASE("a server that refuses is not a host that is missing") {
  const Domain domain;
  const auto found = domain.resolve({"example.invalid."}); // dnsmasq has nobody to ask
  CHECK(found.by_exit(1));
  CHECK(found.err == "resolve: example.invalid.: the name servers have failed\n");
}

TEST_CASE("resolve says how it is used") {
  const std::string resolve = e2e::app("resolve");
  CHECK(e2e::run(resolve, {"--help"}).by_exit(0));
  for (const auto& [arguments, complaint] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "resolve: no name is given; see --help\n"},
           {{"--port", "localhost"}, "resolve: '--port' is not an option; see --help\n"},
           {{"localhost", "--hosts"}, "resolve: '--hosts' needs a file; see --help\n"}}) {
    const auto ending = e2e::run(resolve, arguments);
    CHECK(ending.by_exit(2));
    CHECK(ending.out == "");
    CHECK(ending.err == complaint);
  }
  CHECK(e2e::run(resolve, {"no name"}).err == "resolve: no name: invalid argument\n");
}
