#include <rt/io/address.hpp>

#include <doctest/doctest.h>

#include <string>

using rt::Address, rt::Errc;

namespace {

std::string text_of(const Address& address) {
  char buffer[200];
  return std::string(buffer, rt::format_to(buffer, "{}", address));
}

/// What the text means, as it is printed.
std::string parsed(std::string_view text) {
  const auto address = Address::parse(text);
  return address ? text_of(*address) : std::string(address.error().message());
}

} // namespace

TEST_CASE("addresses are printed as they are parsed") {
  for (const char* text :
       {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0", "[2001:db8::1:0:0:1]:443",
        "[fe80::1%2]:22", "[::ffff:192.0.2.1]:8080", "[1:2:3:4:5:6:7:8]:9", "[1:0:3:4:5:6:7:8]:9", "[1::4:5:6:7:8]:9",
        "[1:2:3:4:5:6::]:9", "unix:/run/service.socket", "unix:relative", "unix:@name", "unix:@"})
    CHECK(parsed(text) == text);
  CHECK(parsed("[0:0:0:0:0:0:0:1]:80") == "[::1]:80");
  CHECK(parsed("[2001:DB8:0:0:0:0:0:A]:1") == "[2001:db8::a]:1");
  CHECK(parsed("[0:0:1:0:0:0:1:0]:1") == "[0:0:1::1:0]:1");
  CHECK(parsed("[::1.2.3.4]:1") == "[::102:304]:1");
  CHECK(parsed("[64:ff9b::1.2.3.4]:1") == "[64:ff9b::102:304]:1");
}

TEST_CASE("what is no address is refused") {
  for (const char* text : {"",
                           ":",
                           "80",
                           ":80",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1: 1",
                           "127.0.0.1:080",
                           "127.0.0:1",
                           "127.0.0.0.1:1",
                           "127.0.0.256:1",
                           "127.0.0.:1",
                           "127..0.1:1",
                           "127.0.0.01:1",
                           "localhost:80",
                           "::1:80",
                           "[::1]",
                           "[::1:80",
                           "::1]:80",
                           "[:::1]:80",
                           "[1::2::3]:80",
                           "[1:2:3:4:5:6:7]:80",
                           "[1:2:3:4:5:6:7:8:9]:80",
                           "[1:2:3:4:5:6:7::8]:80",
                           "[12345::]:80",
                           "[g::]:80",
                           "[:1]:80",
                           "[1:]:80",
                           "[1.2.3.4::]:80",
                           "[::1.2.3]:80",
                           "[1:2:3:4:5:6:7:1.2.3.4]:80",
                           "[fe80::1%]:80",
                           "[fe80::1%x]:80",
                           "[fe80::1%4294967296]:80",
                           "[]:80",
                           "unix:",
                           "unix"}) {
    INFO(text);
    CHECK(Address::parse(text).error() == Errc::invalid_argument);
  }
}

TEST_CASE("the parts of an address are what it was made of") {
  const Address v4 = Address::ipv4(0x01020304, 5);
  CHECK(v4.family() == Address::Family::ipv4);
  CHECK(v4.ipv4_host() == 0x01020304);
  CHECK(v4.port() == 5);
  CHECK(text_of(v4) == "1.2.3.4:5");

  Address v6 = Address::ipv6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0x1234, 7);
  CHECK(v6.family() == Address::Family::ipv6);
  CHECK(v6.ipv6_host()[1] == 0x80);
  CHECK(v6.interface() == 7);
  CHECK(v6.port() == 0x1234);
  v6.set_port(0xfffe);
  CHECK(text_of(v6) == "[fe80::1%7]:65534");

  CHECK(Address::path("/tmp/x")->local_name() == "/tmp/x");
  CHECK_FALSE(Address::path("/tmp/x")->is_abstract());
  CHECK(Address::abstract(std::string_view("a\0b", 3))->local_name() == std::string_view("a\0b", 3));
  CHECK(Address::abstract("x")->is_abstract());
  CHECK(Address::path("/tmp/x")->port() == 0);
  CHECK_FALSE(Address());
  CHECK(text_of(Address()) == "no address");
}

TEST_CASE("a local name has its limits") {
  CHECK(Address::path(std::string(107, 'x'))->local_name() == std::string(107, 'x'));
  CHECK(Address::path(std::string(108, 'x')).error() == Errc::filename_too_long);
  CHECK(Address::abstract(std::string(107, 'x'))->local_name() == std::string(107, 'x'));
  CHECK(Address::abstract(std::string(108, 'x')).error() == Errc::filename_too_long);
  CHECK(Address::path("").error() == Errc::invalid_argument);
  CHECK(Address::path(std::string_view("a\0b", 3)).error() == Errc::invalid_argument);
}

TEST_CASE("addresses are equal that mean the same") {
  CHECK(Address::loopback(1) == Address::parse("127.0.0.1:1").value());
  CHECK_FALSE(Address::loopback(1) == Address::loopback(2));
  CHECK_FALSE(Address::loopback(1) == Address::any(1));
  CHECK_FALSE(Address::path("x").value() == Address::abstract("x").value());
  CHECK(Address() == Address());
  CHECK(Address::parse("[fe80::1%1]:1").value() == Address::parse("[fe80:0::0:1%1]:1").value());
  CHECK_FALSE(Address::parse("[fe80::1%1]:1").value() == Address::parse("[fe80::1%2]:1").value());
}

TEST_CASE("a host is parsed without a port") {
  CHECK(text_of(Address::parse("10.0.0.1", 80).value()) == "10.0.0.1:80");
  CHECK(text_of(Address::parse("::1", 80).value()) == "[::1]:80");
  CHECK(text_of(Address::parse("[::1]", 80).value()) == "[::1]:80");
  CHECK(Address::parse("example.org", 80).error() == Errc::invalid_argument);
  CHECK(Address::parse("[10.0.0.1]", 80).error() == Errc::invalid_argument);
}
