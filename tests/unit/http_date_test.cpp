#include <rt/io/http_date.hpp>

#include <doctest/doctest.h>

#include <ctime>
#include <string>

namespace {

std::string date_of(std::int64_t seconds) {
  char text[rt::http::date_size];
  rt::http::write_date(text, seconds);
  return {text, sizeof text};
}

} // namespace

TEST_CASE("dates are written as libc writes them, and read back") {
  for (std::int64_t seconds = -62'000'000'000; seconds < 250'000'000'000; seconds += 86'399 * 1009) {
    const std::time_t time = seconds;
    std::tm parts;
    char expected[64];
    REQUIRE(std::strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&time, &parts)) != 0);
    if (std::string(expected).size() != rt::http::date_size) continue; // years of fewer digits
    REQUIRE(date_of(seconds) == expected);
    REQUIRE(rt::http::read_date(expected) == seconds);
  }
}

TEST_CASE("all three forms of a date are read, and nothing else") {
  CHECK(date_of(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    CHECK(rt::http::read_date(text) == 784'111'777);
  for (const char* text :
       {"", "Sun", "Sun,", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 unN 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET"}) {
    CAPTURE(text);
    CHECK_FALSE(rt::http::read_date(text));
  }
}
