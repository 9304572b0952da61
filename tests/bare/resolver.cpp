// The resolver where there may be no files, no name server, and no network but the loopback interface.

#include "check.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/io/resolver.hpp>
#include <rt/kernel/random.hpp>
#include <rt/process/process.hpp>

#include <chrono>

using namespace std::chrono_literals;
using rt::Errc;

RT_CASE("addresses and localhost need no file") {
  CHECK(rt::resolve("192.0.2.1", 80).value() == std::vector{rt::Address::ipv4(0xc0000201, 80)});
  CHECK(rt::resolve("[::1]", 80).value() == std::vector{rt::Address::parse("::1", 80).value()});
  CHECK(rt::resolve("no name", 80).error() == Errc::invalid_argument);
  rt::Resolver resolver({.hosts_file = "/no/such/file", .configuration_file = "/no/such/file"});
  const auto found = resolver.resolve("localhost", 80).value();
  CHECK(found.size() == 2);
  CHECK(found[0] == rt::Address::loopback(80) || found[1] == rt::Address::loopback(80));
}

RT_CASE("a fiber that looks up ends, with a name server or without, and others run meanwhile") {
  rt::Resolver resolver({.hosts_file = "/no/such/file", .configuration_file = "/no/such/file"});
  bool others_run = false;
  auto lookup = rt::spawn([&] {
    rt::Timeout limit(200ms);
    return resolver.resolve("example.invalid", 80).error().code;
  });
  rt::spawn([&] { others_run = true; }).join();
  CHECK(others_run);
  CHECK(lookup.join() != Errc::none);
}

RT_CASE("a process that starts in the middle of a lookup can look up itself") {
  const auto look_up = [] {
    rt::Timeout limit(200ms);
    return rt::resolve("example.invalid", 80).error().code;
  };
  auto lookup = rt::spawn(look_up);
  rt::yield();
  rt::Process process([&look_up] {
    if (!rt::resolve("localhost", 80)) return 1;
    return look_up() != Errc::none ? 0 : 2;
  });
  process.start().value();
  CHECK(process.join_for(10s).ok());
  CHECK(process.exit_code() == 0);
  CHECK(lookup.join() != Errc::none);
}

RT_CASE("random numbers differ") {
  const auto first = rt::kernel::random_number<std::uint64_t>(), second = rt::kernel::random_number<std::uint64_t>();
  CHECK(first != second);
}
