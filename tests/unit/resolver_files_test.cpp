#include <rt/io/resolver_files.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace rt::dns;
using namespace std::chrono_literals;

namespace {

std::string text(const std::vector<rt::Address>& addresses) {
  std::string all;
  for (const rt::Address& address : addresses) {
    char buffer[64];
    all.append(buffer, rt::format_to(buffer, "{} ", address));
  }
  return all;
}

} // namespace

TEST_CASE("a hosts file has lines of an address and its names") {
  const std::string_view hosts = "127.0.0.1 localhost loopback\n"
                                 "\n"
                                 "# 192.0.2.1 example.com\n"
                                 "  192.0.2.2\tExample.com\twww.example.com#192.0.2.3\r\n"
                                 "2001:db8::1 www.example.com www.example.com\n"
                                 "example.com 192.0.2.4\n"
                                 "not.an.address example.com\n"
                                 "192.0.2.5";
  CHECK(text(find_in_hosts(hosts, "localhost")) == "127.0.0.1:0 ");
  CHECK(text(find_in_hosts(hosts, "loopback")) == "127.0.0.1:0 ");
  CHECK(text(find_in_hosts(hosts, "EXAMPLE.COM.")) == "192.0.2.2:0 ");
  CHECK(text(find_in_hosts(hosts, "www.example.com")) == "192.0.2.2:0 [2001:db8::1]:0 ");
  for (const char* missing : {"example", "com", "local", "localhosts", "192.0.2.4", ""})
    CHECK(find_in_hosts(hosts, missing).empty());
  CHECK(find_in_hosts("", "localhost").empty());
}

TEST_CASE("without resolv.conf the server of this machine is asked, as ever") {
  const Configuration configuration = read_configuration("");
  CHECK(text(configuration.servers) == "127.0.0.1:53 ");
  CHECK(configuration.search.empty());
  CHECK(configuration.least_dots == 1);
  CHECK(configuration.timeout == 5s);
  CHECK(configuration.attempts == 2);
  CHECK(!configuration.rotate);
  CHECK(!configuration.over_tcp);
}

TEST_CASE("resolv.conf names servers, with ports if they have others, and names to search below") {
  const Configuration configuration = read_configuration("; made by hand\n"
                                                         "nameserver 192.0.2.1 # the first\n"
                                                         "nameserver 127.0.0.1:5353\n"
                                                         "nameserver\t::1\r\n"
                                                         "nameserver [2001:db8::1]:5353\n"
                                                         "nameserver fe80::1%2\n"
                                                         "nameserver example.com\n"
                                                         "nameserver unix:/run/dns\n"
                                                         "nameserver\n"
                                                         "domain example.net\n"
                                                         "search example.com a..b Example.org.\n"
                                                         "sortlist 192.0.2.0\n"
                                                         "options ndots:3 timeout:2 attempts:4 rotate use-vc edns0");
  CHECK(text(configuration.servers) == "192.0.2.1:53 127.0.0.1:5353 [::1]:53 [2001:db8::1]:5353 [fe80::1%2]:53 ");
  CHECK(configuration.search == std::vector{Name::parse("example.com").value(), Name::parse("example.org").value()});
  CHECK(configuration.least_dots == 3);
  CHECK(configuration.timeout == 2s);
  CHECK(configuration.attempts == 4);
  CHECK(configuration.rotate);
  CHECK(configuration.over_tcp);
}

TEST_CASE("the last of domain and search counts") {
  const Configuration configuration = read_configuration("search a.org b.org\ndomain c.org\n");
  CHECK(configuration.search == std::vector{Name::parse("c.org").value()});
}

TEST_CASE("numbers that are none, or out of their range, do no harm") {
  Configuration configuration = read_configuration("options ndots:x timeout: attempts:-1 timeout ndots:1x\n");
  CHECK(configuration.least_dots == 1);
  CHECK(configuration.timeout == 5s);
  CHECK(configuration.attempts == 2);
  configuration = read_configuration("options ndots:99999999999 timeout:99999999999 attempts:99999999999");
  CHECK(configuration.least_dots == 15);
  CHECK(configuration.timeout == 30s);
  CHECK(configuration.attempts == 5);
  configuration = read_configuration("options ndots:0 timeout:0 attempts:0");
  CHECK(configuration.least_dots == 0);
  CHECK(configuration.timeout == 1s);
  CHECK(configuration.attempts == 1);
}

TEST_CASE("of too many servers and names some are taken") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "nameserver 127.0.0.1\n";
  text += "search";
  for (int i = 0; i < 100; ++i) text += " example.com";
  const Configuration configuration = read_configuration(text);
  CHECK(configuration.servers.size() == 8);
  CHECK(configuration.search.size() == 32);
}
