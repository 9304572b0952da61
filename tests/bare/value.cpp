// Values without libc: made, printed, encoded and taken apart in threads and in fibers.

#include "check.hpp"

#include <rt/rt.hpp>

using rt::Value;

static Value message() {
  return {12, Value::Map{{"name", "alice"}, {"sizes", {1.5, -0.25, 1e300}}}, Value::bytes("\1\2"), nullptr, true};
}

RT_CASE("a value comes back from its encoding") {
  const auto bytes = rt::cbor::encode(message());
  CHECK(bytes.ok());
  CHECK(rt::cbor::decode(*bytes).value() == message());
  CHECK(rt::cbor::decode(std::string_view(*bytes).substr(1)).error() == rt::Errc::bad_message);
}

RT_CASE("a value comes back from its text") {
  char text[200];
  rt::Output out(text);
  rt::format_to(out, "{}", message());
  CHECK(out.text() == "[12, {\"name\": \"alice\", \"sizes\": [1.5, -0.25, 1e+300]}, h'0102', null, true]");
  CHECK(Value::parse(out.text()).value() == message());
}

RT_CASE("the deepest value fits on the stack of a fiber, encoded, decoded, printed, parsed and compared") {
  auto fiber = rt::spawn([] {
    Value value = 1;
    for (unsigned depth = 0; depth < Value::most_depth; ++depth) {
      Value outer = Value::Map{{"a key", nullptr}};
      outer.map()["a key"] = std::move(value);
      value = std::move(outer);
    }
    const Value copy = value;
    CHECK(copy == value);
    CHECK((copy <=> value) == 0);
    CHECK(copy.hash() == value.hash());
    CHECK(rt::cbor::decode(rt::cbor::encode(value).value()).value() == value);
    static char text[4096];
    rt::Output out(text);
    rt::format_to(out, "{}", value);
    CHECK(Value::parse(out.text()).value() == value);
  });
  fiber.join();
}

RT_CASE_ENDS("a value that is used as another kind is a panic", bare::by_signal(6), "is a list is used as a map") {
  Value value = {1, 2};
  value.map().clear();
}

RT_CASE("a pipe leads to another process, and its end is seen when that is killed") {
  auto [here, there] = rt::make_pipe();
  rt::Process process([&here = here, &there = there] {
    here.close();
    for (;;) there.send({"echo", there.recv().value()}).value();
  });
  process.start().value();
  there.close();
  for (int i = 0; i < 100; ++i) {
    CHECK(here.send(i).ok());
    CHECK((here.recv().value() == Value{"echo", i}));
  }
  process.kill().value();
  CHECK(here.recv().error() == rt::Errc::end_of_file);
}

RT_CASE("a child that closes its copy of what a fiber of the parent waits for does not keep it from waking") {
  auto [here, there] = rt::make_pipe();
  auto fiber = rt::spawn([&here = here] { return here.recv(); });
  rt::yield(); // it waits
  rt::Process process([&here = here] { here.close(); });
  process.start().value();
  process.join();
  CHECK(there.send("woken").ok());
  CHECK(fiber.join().value() == "woken");
}
