#include <rt/base/error.hpp>
#include <rt/base/format.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using rt::Errc;
using rt::Error;

static std::string formatted(auto error) {
  char buffer[100];
  rt::Output out(buffer);
  rt::format_to(out, "{}", error);
  return std::string(out.text());
}

TEST_CASE("an error says what its code means") {
  CHECK(Error{Errc::timed_out}.message() == "timed out");
  CHECK(Error{Errc::none}.message() == "no error");
  CHECK(Error{Errc::state_not_recoverable}.message() == "state not recoverable");
  CHECK(Error{Errc::full}.message() == "full");
  CHECK(Error{Errc::already_started}.message() == "already started");
  CHECK(Error::from_kernel(-2).message() == "no such file or directory");
}

TEST_CASE("every message is of its own, in lower case and without a full stop") {
  std::set<std::string> messages;
  auto check = [&](int code) {
    std::string message(Error{static_cast<Errc>(code)}.message());
    CHECK(!message.empty());
    if (message == "unknown error") return;
    CHECK_MESSAGE(messages.insert(message).second, message);
    CHECK(message.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ.\n") == message.npos);
  };
  for (int code = 0; code < 200; ++code) check(code);
  for (int code = 4096; code < 4200; ++code) check(code);
  CHECK(messages.size() == 88);
}

TEST_CASE("a code that no one knows is an unknown error, shown with its number") {
  for (int code : {-1, 15, 132, 191, 192, 255, 256, 4095, 4127, 4159, 4160, 2147483647}) {
    CHECK(Error{static_cast<Errc>(code)}.message() == "unknown error");
    CHECK(formatted(Error{static_cast<Errc>(code)}) == "unknown error " + std::to_string(code));
  }
}

TEST_CASE("errors and their codes are formatted as the message") {
  CHECK(formatted(Error{Errc::broken_pipe}) == "broken pipe");
  CHECK(formatted(Errc::broken_pipe) == "broken pipe");
  CHECK(formatted(Error{}) == "no error");
}
