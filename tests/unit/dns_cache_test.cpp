#include <rt/io/dns_cache.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace rt::dns;
using namespace std::chrono_literals;

namespace {

constexpr rt::Clock::time_point begin{1000s};

Question question(std::string_view name, Type type = Type::a) { return {Name::parse(name).value(), type}; }
Answer address(std::uint8_t last, std::uint32_t time_to_live) {
  return {Outcome::addresses, time_to_live, {{192, 0, 2, last}}};
}

} // namespace

TEST_CASE("an answer is found until its time is over") {
  Cache cache(10);
  CHECK(!cache.find(question("example.com"), begin));
  cache.keep(question("example.com"), address(1, 60), begin);
  REQUIRE(cache.find(question("EXAMPLE.com"), begin));
  CHECK(cache.find(question("example.com"), begin + 59999ms)->addresses[0][3] == 1);
  CHECK(!cache.find(question("example.com"), begin + 60s));
}

TEST_CASE("each kind of address has an answer of its own") {
  Cache cache(10);
  cache.keep(question("example.com"), address(1, 60), begin);
  cache.keep(question("example.com", Type::aaaa), {Outcome::no_address, 60}, begin);
  CHECK(cache.find(question("example.com"), begin)->outcome == Outcome::addresses);
  CHECK(cache.find(question("example.com", Type::aaaa), begin)->outcome == Outcome::no_address);
}

TEST_CASE("an answer without a time to live is not kept") {
  Cache cache(10);
  cache.keep(question("example.com"), address(1, 0), begin);
  CHECK(cache.size() == 0);
}

TEST_CASE("a new answer takes the place of the old one") {
  Cache cache(10);
  cache.keep(question("example.com"), address(1, 60), begin);
  cache.keep(question("example.com"), address(2, 60), begin + 61s);
  CHECK(cache.size() == 1);
  CHECK(cache.find(question("example.com"), begin + 62s)->addresses[0][3] == 2);
}

TEST_CASE("when there is no room, the answer that holds for the shortest time goes") {
  Cache cache(3);
  for (std::uint8_t i = 1; i <= 3; ++i)
    cache.keep(question("host" + std::to_string(i)), address(i, i == 2 ? 10 : 60), begin);
  cache.keep(question("host4"), address(4, 60), begin);
  CHECK(cache.size() == 3);
  CHECK(!cache.find(question("host2"), begin));
  for (const char* name : {"host1", "host3", "host4"}) CHECK(cache.find(question(name), begin));
}

TEST_CASE("a cache of no size keeps nothing") {
  Cache cache(0);
  cache.keep(question("example.com"), address(1, 60), begin);
  CHECK(!cache.find(question("example.com"), begin));
}
