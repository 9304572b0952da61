#include "dns_answer.hpp"

#include <rt/io/dns_message.hpp>

#include <doctest/doctest.h>

using namespace rt::dns;
using dns_test::no_such_name, dns_test::response, dns_test::truncated, dns_test::server_failure, dns_test::refused;
using rt::Errc;
using Made = dns_test::Answer;

namespace {

constexpr std::uint16_t id = 0xbeef;

Question question(std::string_view name, Type type = Type::a) { return {Name::parse(name).value(), type}; }

std::optional<Answer> read(const Made& made, std::string_view name = "example.com", Type type = Type::a) {
  return read_answer(made.bytes, id, question(name, type));
}

Made answer(std::string_view name = "example.com", Type type = Type::a, unsigned flags = response) {
  return Made(id, flags).question(name, type);
}

std::string text(const AddressBytes& address, int family = AF_INET) {
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(family, address.data(), buffer, sizeof buffer);
}

std::string bytes(std::string_view name) {
  const Name parsed = Name::parse(name).value();
  return {reinterpret_cast<const char*>(parsed.bytes().data()), parsed.bytes().size()};
}

} // namespace

TEST_CASE("a name is made of labels with their lengths, in lower case") {
  CHECK(bytes("example.com") == std::string("\7example\3com\0", 13));
  CHECK(bytes("EXAMPLE.Com.") == bytes("example.com"));
  CHECK(bytes("a-b_c.0") == std::string("\5a-b_c\1\60\0", 9));
  CHECK(bytes(std::string(63, 'x')).size() == 65);
}

TEST_CASE("what cannot be a host's name is none") {
  for (const std::string_view wrong :
       {"", ".", "..", ".a", "a..b", "a..", "a b", "a/b", "a\nb", "a:b", "ex\xc3\xa4mple.com", "a\\.b", "*"})
    CHECK_MESSAGE(Name::parse(wrong).error() == Errc::invalid_argument, std::string(wrong));
  CHECK(Name::parse(std::string(64, 'x')).error() == Errc::invalid_argument);
  CHECK(Name::parse(std::string_view("a\0b", 3)).error() == Errc::invalid_argument);
}

TEST_CASE("a name has up to 253 characters") {
  std::string longest = std::string(63, 'a');
  for (int i = 0; i < 2; ++i) longest += "." + std::string(63, 'b');
  longest += "." + std::string(61, 'c');
  REQUIRE(longest.size() == 253);
  CHECK(bytes(longest).size() == 255);
  CHECK(bytes(longest + ".").size() == 255);
  CHECK(Name::parse(longest + "c").error() == Errc::invalid_argument);
  CHECK(Name::parse("a." + longest).error() == Errc::invalid_argument);
}

TEST_CASE("a name below another one has the labels of both") {
  const Name host = Name::parse("www").value(), parent = Name::parse("example.com").value();
  CHECK(host.below(parent) == Name::parse("www.example.com").value());
  CHECK(host.below(Name()) == host);
  Name longest = host;
  while (const auto longer = longest.below(parent)) longest = *longer;
  CHECK(longest.bytes().size() > 255 - 13);
}

TEST_CASE("a question is twelve bytes of header, the name, type and class") {
  std::array<std::uint8_t, largest_question> buffer;
  const auto message = write_question(buffer, id, question("example.com", Type::aaaa));
  const std::uint8_t expected[] = {0xbe, 0xef, 1,   0,   0,   1, 0,   0,   0,   0, 0, 0,  7, 'e', 'x',
                                   'a',  'm',  'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 28, 0, 1};
  CHECK(std::equal(message.begin(), message.end(), std::begin(expected), std::end(expected)));
}

TEST_CASE("an answer has all addresses of the name, and the least time to live") {
  const auto found = read(answer().a("example.com", "192.0.2.1", 300).a("Example.COM", "192.0.2.2", 200));
  REQUIRE(found);
  CHECK(found->outcome == Outcome::addresses);
  CHECK(found->time_to_live == 200);
  REQUIRE(found->addresses.size() == 2);
  CHECK(text(found->addresses[0]) == "192.0.2.1");
  CHECK(text(found->addresses[1]) == "192.0.2.2");

  const auto six = read(answer("example.com", Type::aaaa).aaaa("@12", "2001:db8::1"), "example.com", Type::aaaa);
  REQUIRE(six);
  REQUIRE(six->addresses.size() == 1);
  CHECK(text(six->addresses[0], AF_INET6) == "2001:db8::1");
}

TEST_CASE("names of records may be compressed") {
  const auto found =
      read(answer("www.example.com").cname("@12", "web.@16", 50).a("web.@16", "192.0.2.1"), "www.example.com");
  REQUIRE(found);
  REQUIRE(found->addresses.size() == 1);
  CHECK(found->time_to_live == 50);
}

TEST_CASE("aliases are followed, whatever the order of the records") {
  const auto found = read(answer()
                              .a("c.example.net", "192.0.2.3", 90)
                              .cname("b.example.net", "c.example.net", 80)
                              .cname("example.com", "b.example.net", 70)
                              .a("other.example.net", "192.0.2.9", 1));
  REQUIRE(found);
  REQUIRE(found->addresses.size() == 1);
  CHECK(text(found->addresses[0]) == "192.0.2.3");
  CHECK(found->time_to_live == 70);
}

TEST_CASE("addresses of other names, kinds and classes are not the answer") {
  const auto found = read(answer()
                              .a("example.org", "192.0.2.1")
                              .aaaa("example.com", "2001:db8::1")
                              .raw("example.com", 1, {192, 0, 2, 2}, 3)
                              .raw("example.com", 16, {3, 'a', 'b', 'c'}));
  REQUIRE(found);
  CHECK(found->outcome == Outcome::no_address);
  CHECK(found->addresses.empty());
}

TEST_CASE("aliases in circles are no answer") {
  CHECK(!read(answer().cname("example.com", "example.com")));
  CHECK(!read(answer().cname("example.com", "b.net").cname("b.net", "example.com")));
  Made chain = answer("0.com");
  for (int i = 0; i < 40; ++i) chain.cname(std::to_string(i) + ".com", std::to_string(i + 1) + ".com");
  CHECK(!read(chain.a("40.com", "192.0.2.1"), "0.com"));
}

TEST_CASE("that there is nothing holds for as long as the zone says") {
  auto found = read(answer("example.com", Type::a, response | no_such_name).soa("com", 900, 300));
  REQUIRE(found);
  CHECK(found->outcome == Outcome::no_such_name);
  CHECK(found->time_to_live == 300);

  found = read(answer().cname("example.com", "b.net", 200).soa("net", 400, 500));
  REQUIRE(found);
  CHECK(found->outcome == Outcome::no_address);
  CHECK(found->time_to_live == 200);

  found = read(answer());
  REQUIRE(found);
  CHECK(found->outcome == Outcome::no_address);
  CHECK(found->time_to_live == 0);

  found = read(answer().soa("com", 0xffffff, 0xffffff));
  REQUIRE(found);
  CHECK(found->time_to_live == 3600);
}

TEST_CASE("no time to live is longer than a day, and an impossible one is none") {
  CHECK(read(answer().a("example.com", "192.0.2.1", 0x7fffffff))->time_to_live == 86400);
  CHECK(read(answer().a("example.com", "192.0.2.1", 0x80000000))->time_to_live == 0);
}

TEST_CASE("a server that fails or refuses has answered") {
  for (const unsigned code : {1u, server_failure, 4u, refused, 15u})
    CHECK(read(answer("example.com", Type::a, response | code))->outcome == Outcome::failure);
}

TEST_CASE("a truncated answer says so, however it ends") {
  Made made = answer("example.com", Type::a, response | truncated).a("example.com", "192.0.2.1");
  made.bytes.resize(made.bytes.size() - 3);
  CHECK(read(made)->outcome == Outcome::truncated);
}

TEST_CASE("an answer to another question is none") {
  const Made right = answer().a("example.com", "192.0.2.1");
  REQUIRE(read(right));
  CHECK(!read_answer(right.bytes, id + 1, question("example.com")));
  CHECK(!read_answer(right.bytes, id, question("example.org")));
  CHECK(!read_answer(right.bytes, id, question("www.example.com")));
  CHECK(!read_answer(right.bytes, id, question("example.com", Type::aaaa)));
  CHECK(!read(Made(id).question("example.com", Type::a, 3)));
  CHECK(!read(Made(id)));
  CHECK(!read(answer().question("example.com", Type::a)));
  CHECK(!read(answer("example.com", Type::a, 0x0100)));            // a question itself
  CHECK(!read(answer("example.com", Type::a, response | 0x2000))); // another operation
}

TEST_CASE("a message that ends too soon is no answer") {
  const Made whole = answer().cname("example.com", "www.@12").a("www.@12", "192.0.2.1").soa("com", 1, 1);
  REQUIRE(read(whole));
  for (std::size_t size = 0; size < whole.bytes.size(); ++size)
    CHECK(!read_answer(std::span(whole.bytes).first(size), id, question("example.com")));
}

TEST_CASE("bytes after the message do not matter") {
  Made made = answer().a("example.com", "192.0.2.1");
  made.bytes.resize(made.bytes.size() + 9);
  CHECK(read(made)->addresses.size() == 1);
}

TEST_CASE("names that lead in circles, forwards or out of the message are no answer") {
  Made itself = answer();
  const std::string here = "@" + std::to_string(itself.bytes.size());
  CHECK(!read(itself.a(here, "192.0.2.1")));
  CHECK(!read(answer().a("www." + here, "192.0.2.1")));
  CHECK(!read(answer().a("@16383", "192.0.2.1")));
  CHECK(!read(answer().a("@40", "192.0.2.1")));
  CHECK(!read(Made(id).question("@12", Type::a)));

  Made unknown_label = answer();
  unknown_label.bytes[12] = 0x87;
  CHECK(!read(unknown_label));
}

TEST_CASE("a pointer to a pointer is followed, but not a thousand of them") {
  for (const int pointers : {100, 1000}) {
    Made made = answer();
    std::vector<std::uint8_t> data;
    const std::size_t begin = made.bytes.size() + 1 + 2 + 2 + 4 + 2;
    for (int i = 0; i < pointers; ++i) {
      const std::size_t target = i == 0 ? 12 : begin + 2 * (static_cast<std::size_t>(i) - 1);
      data.push_back(static_cast<std::uint8_t>(0xc0 | target >> 8));
      data.push_back(static_cast<std::uint8_t>(target));
    }
    made.raw("", 16, data).a("@" + std::to_string(begin + data.size() - 2), "192.0.2.1");
    CHECK(read(made).has_value() == (pointers == 100));
  }
}

TEST_CASE("a name that grows too long by compression is no answer") {
  const std::string label(63, 'x'), name = label + "." + label + "." + label;
  CHECK(read(answer(name), name));
  CHECK(!read(answer(name).a(label + ".@12", "192.0.2.1"), name));
}

TEST_CASE("an address of the wrong size, or an alias that is not all of its record, is no answer") {
  CHECK(!read(answer().raw("example.com", 1, {192, 0, 2})));
  CHECK(!read(answer().raw("example.com", 1, {192, 0, 2, 1, 0})));
  CHECK(!read(answer().raw("example.com", 5, {1, 'a', 0, 0})));
  CHECK(!read(answer().raw("example.com", 5, {1, 'a'})));
}

TEST_CASE("of a flood of addresses some are taken") {
  Made made = answer();
  for (int i = 0; i < 2000; ++i) made.a("@12", "192.0.2.1");
  CHECK(read(made)->addresses.size() == 256);
}
