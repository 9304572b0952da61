#include <rt/process/value.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "sync_test.hpp"

using rt::Errc;
using rt::Value;
using namespace std::literals;

static std::string printed(const Value& value) {
  std::string text(rt::format_to(std::span<char>(), "{}", value), '\0');
  rt::format_to(std::span(text), "{}", value);
  return text;
}

TEST_CASE("a value is made from what it holds, and braces make lists") {
  CHECK(Value().is_null());
  CHECK(Value(nullptr).is_null());
  CHECK(Value(true).boolean());
  CHECK(Value(12).integer() == 12);
  CHECK(Value('a').integer() == 97);
  CHECK(Value(1.5f).number() == 1.5);
  CHECK(Value(7).number() == 7.0);
  CHECK(Value("text").text() == "text");
  CHECK(Value("a string"s).text() == "a string");
  CHECK(Value::bytes("\0\xff"sv).bytes() == "\0\xff"sv);
  const Value list = {1, "two", 3.0, {4, nullptr}, false};
  REQUIRE(list.list().size() == 5);
  CHECK(list.list()[3] == Value{4, nullptr});
  const Value map = Value::Map{{"name", "alice"}, {1, "one"}};
  CHECK(*map.find("name") == "alice");
  CHECK(*map.find(1) == "one");
  CHECK(map.find("age") == nullptr);
  CHECK(list.find("name") == nullptr);
}

TEST_CASE("a copy of a value is a copy of all that is in it, and a value moved from is null") {
  Value value = {Value::Map{{"a", {1, 2}}}, "text", Value::bytes("bytes"sv)};
  Value copy = value;
  copy.list()[0].map()["a"].list().push_back(3);
  copy.list()[1] = "other";
  CHECK(printed(value) == R"([{"a": [1, 2]}, "text", h'6279746573'])");
  CHECK(printed(copy) == R"([{"a": [1, 2, 3]}, "other", h'6279746573'])");
  const Value moved = std::move(value);
  CHECK(value.is_null());
  CHECK(moved != copy);
  copy = copy.list()[0]; // a part of itself
  CHECK(printed(copy) == R"({"a": [1, 2, 3]})");
}

TEST_CASE("a value that is used as what it is not panics, and so does a number beyond 64 bits with sign") {
  sync_test::check_panics("a Value that is an integer is used as a text", [] { (void)Value(1).text(); });
  sync_test::check_panics("a Value that is null is used as a list", [] { (void)Value().list(); });
  sync_test::check_panics("18446744073709551615 is too large", [] { Value value(~0ull); });
}

TEST_CASE("values have one order, of which equality is a part") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const Value ascending[] = {nullptr,
                             false,
                             true,
                             -infinity,
                             -1e300,
                             std::numeric_limits<std::int64_t>::min(),
                             -9223372036854775808.0,
                             -1.5,
                             -1,
                             -1.0,
                             -0.5,
                             0,
                             -0.0,
                             0.0,
                             0.5,
                             1,
                             1.0,
                             9007199254740992,
                             9007199254740992.0,
                             9007199254740993,
                             std::numeric_limits<std::int64_t>::max(),
                             9223372036854775808.0,
                             infinity,
                             nan,
                             "",
                             "a",
                             "a\0"sv,
                             "b",
                             "\xc3\xa9",
                             Value::bytes(""sv),
                             Value::bytes("a"sv),
                             Value::List{},
                             {1},
                             {1, 2},
                             {2},
                             Value::Map{},
                             Value::Map{{1, 1}},
                             Value::Map{{1, 1}, {2, 2}},
                             Value::Map{{1, 2}}};
  const std::size_t count = std::size(ascending);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) {
      INFO(printed(ascending[i]), " and ", printed(ascending[j]));
      CHECK((ascending[i] <=> ascending[j]) == (i <=> j));
      CHECK((ascending[i] == ascending[j]) == (i == j));
      if (i == j) CHECK(ascending[i].hash() == Value(ascending[j]).hash());
    }
  CHECK(Value(nan) == Value(-nan));
  CHECK(Value(nan).hash() == Value(-nan).hash());
}

TEST_CASE("maps are equal whatever the order of their keys, and keep the order in which these came") {
  Value::Map a{{"x", 1}, {"y", 2}}, b{{"y", 2}, {"x", 1}};
  CHECK(Value(a) == Value(b));
  CHECK(Value(a).hash() == Value(b).hash());
  CHECK(printed(a) == R"({"x": 1, "y": 2})");
  CHECK(printed(b) == R"({"y": 2, "x": 1})");
  CHECK(!a.set("x", 3));
  CHECK(a.set("z", 4));
  CHECK(printed(a) == R"({"x": 3, "y": 2, "z": 4})");
  CHECK(a.last().key == "z");
  CHECK(a.erase("z"));
  CHECK(a.last().key == "y");
  CHECK(a.erase("x"));
  CHECK(!a.erase("x"));
  CHECK(printed(a) == R"({"y": 2})");
}

TEST_CASE("a map holds what a std::map of the same would, through any changes") {
  std::mt19937 random(7);
  for (const int range : {6, 40, 3000}) {
    Value::Map map;
    std::map<int, int> model;
    for (int step = 0; step < 20'000; ++step) {
      const int key = static_cast<int>(random() % static_cast<unsigned>(range));
      if (random() % 3 != 0) {
        CHECK(map.set(key, step) == model.insert_or_assign(key, step).second);
      } else {
        CHECK(map.erase(key) == (model.erase(key) == 1));
      }
    }
    REQUIRE(map.size() == model.size());
    std::size_t seen = 0;
    for (const auto& item : map) {
      ++seen;
      CHECK(model.at(static_cast<int>(item.key.integer())) == item.value.integer());
    }
    CHECK(seen == model.size());
    for (int key = 0; key < range; ++key) CHECK(map.contains(key) == model.contains(key));
    const auto sorted = map.sorted();
    CHECK(std::ranges::is_sorted(sorted, [](auto* a, auto* b) { return a->key < b->key; }));
  }
}

TEST_CASE("keys of different kinds are different keys") {
  Value::Map map;
  const Value keys[] = {nullptr, false, 0, 0.0, -0.0, "", "0", Value::bytes("0"sv), Value::List{}, {0}, Value::Map{}};
  for (const Value& key : keys) CHECK(map.set(key, key));
  for (const Value& key : keys) CHECK(*map.find(key) == key);
  CHECK(map.size() == std::size(keys));
}

TEST_CASE("a value prints as JSON-like text, which reads back as the same value") {
  const struct {
    Value value;
    const char* text;
  } cases[] = {{nullptr, "null"},
               {true, "true"},
               {-12, "-12"},
               {std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
               {std::numeric_limits<std::int64_t>::max(), "9223372036854775807"},
               {1.0, "1.0"},
               {-0.0, "-0.0"},
               {0.1, "0.1"},
               {1e300, "1e+300"},
               {5e-324, "5e-324"},
               {std::nan(""), "NaN"},
               {std::numeric_limits<double>::infinity(), "Infinity"},
               {-std::numeric_limits<double>::infinity(), "-Infinity"},
               {"", "\"\""},
               {"\"\\\b\f\n\r\t\x01\x7f/", R"("\"\\\b\f\n\r\t\u0001\u007f/")"},
               {"ü水𐅑", "\"ü水𐅑\""},
               {"a\0b"sv, R"("a\u0000b")"},
               {Value::bytes("\0\x7f\xff"sv), "h'007fff'"},
               {Value::List{}, "[]"},
               {Value::Map{}, "{}"},
               {{12, Value::Map{{"name", "alice"}}, "hello"}, R"([12, {"name": "alice"}, "hello"])"},
               {Value::Map{{1, {2}}, {Value{3}, nullptr}}, "{1: [2], [3]: null}"}};
  for (const auto& [value, text] : cases) {
    CHECK(printed(value) == text);
    const auto parsed = Value::parse(text);
    INFO(text, ": ", parsed.error().message());
    REQUIRE(parsed.ok());
    CHECK(*parsed == value);
  }
}

TEST_CASE("JSON from elsewhere is read") {
  const auto parsed = Value::parse(" {\"a\" : [ 1,-2.50 , 1E2,true] ,\r\n\t\"\\u00fc\\u6c34\\ud800\\udd51\\/\":{}} ");
  REQUIRE(parsed.ok());
  CHECK(printed(*parsed) == R"({"a": [1, -2.5, 100.0, true], "ü水𐅑/": {}})");
}

TEST_CASE("text that is no value is refused") {
  for (const char* text :
       {"",       " ",         "nul", "[",    "[1",      "[1,",       "[1,]",   "[1 2]", "{",   "{1}",  "{1:}",
        "{1:2,}", "{1:2,1:3}", "\"",  "\"\\", "\"\\x\"", "\"\\u12\"", "\"\n\"", "h'",    "h'0", "h'0'", "h'0g'",
        "01",     "-",         "1.",  ".5",   "1e",      "1e+",       "+1",     "1 2",   "]",   "0x10"})
    CHECK_MESSAGE(Value::parse(text).error() == Errc::bad_message, text);
  CHECK(Value::parse("9223372036854775808").error() == Errc::value_too_large);
  CHECK(Value::parse("\"\xff\"").error() == Errc::illegal_byte_sequence);
  CHECK(Value::parse("\"\\ud800\"").error() == Errc::illegal_byte_sequence);
  CHECK(Value::parse("\"\\udd51\\ud800\"").error() == Errc::illegal_byte_sequence);
}

TEST_CASE("nesting is read up to the limit, and any depth beyond it is refused") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(Value::parse(nested(Value::most_depth)).ok());
  CHECK(Value::parse(nested(Value::most_depth + 1)).error() == Errc::value_too_large);
  CHECK(Value::parse(std::string(1'000'000, '[')).error() == Errc::value_too_large);
}

TEST_CASE("a text that is not UTF-8 prints with replacements") {
  CHECK(printed("a\xff\xc3z") == "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}
