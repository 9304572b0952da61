#include <rt/process/cbor.hpp>

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

using rt::Errc;
using rt::Value;
using namespace std::literals;

static std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}
static std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    char pair[2];
    rt::format_to(pair, "{:02x}", static_cast<unsigned char>(byte));
    hex.append(pair, 2);
  }
  return hex;
}
static rt::Result<Value> decoded(std::string_view hex) { return rt::cbor::decode(from_hex(hex)); }

static const double infinity = std::numeric_limits<double>::infinity();

TEST_CASE("the examples of RFC 8949 that are encoded as we would are right both ways") {
  const struct {
    Value value;
    const char* hex;
  } examples[] = {
      {0, "00"},
      {1, "01"},
      {10, "0a"},
      {23, "17"},
      {24, "1818"},
      {25, "1819"},
      {100, "1864"},
      {1000, "1903e8"},
      {1000000, "1a000f4240"},
      {1000000000000, "1b000000e8d4a51000"},
      {-1, "20"},
      {-10, "29"},
      {-100, "3863"},
      {-1000, "3903e7"},
      {0.0, "f90000"},
      {-0.0, "f98000"},
      {1.0, "f93c00"},
      {1.1, "fb3ff199999999999a"},
      {1.5, "f93e00"},
      {65504.0, "f97bff"},
      {100000.0, "fa47c35000"},
      {3.4028234663852886e+38, "fa7f7fffff"},
      {1.0e+300, "fb7e37e43c8800759c"},
      {5.960464477539063e-8, "f90001"},
      {0.00006103515625, "f90400"},
      {-4.0, "f9c400"},
      {-4.1, "fbc010666666666666"},
      {infinity, "f97c00"},
      {std::nan(""), "f97e00"},
      {-infinity, "f9fc00"},
      {false, "f4"},
      {true, "f5"},
      {nullptr, "f6"},
      {Value::bytes(""sv), "40"},
      {Value::bytes("\1\2\3\4"sv), "4401020304"},
      {"", "60"},
      {"a", "6161"},
      {"IETF", "6449455446"},
      {"\"\\", "62225c"},
      {"\u00fc", "62c3bc"},
      {"\u6c34", "63e6b0b4"},
      {"\U00010151", "64f0908591"},
      {Value::List{}, "80"},
      {{1, 2, 3}, "83010203"},
      {{1, {2, 3}, {4, 5}}, "8301820203820405"},
      {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25},
       "98190102030405060708090a0b0c0d0e0f101112131415161718181819"},
      {Value::Map{}, "a0"},
      {Value::Map{{1, 2}, {3, 4}}, "a201020304"},
      {Value::Map{{"a", 1}, {"b", {2, 3}}}, "a26161016162820203"},
      {{"a", Value::Map{{"b", "c"}}}, "826161a161626163"},
      {Value::Map{{"a", "A"}, {"b", "B"}, {"c", "C"}, {"d", "D"}, {"e", "E"}},
       "a56161614161626142616361436164614461656145"},
  };
  for (const auto& [value, hex] : examples) {
    CHECK(to_hex(rt::cbor::encode(value).value()) == hex);
    const auto back = decoded(hex);
    INFO(hex, ": ", back.error().message());
    REQUIRE(back.ok());
    CHECK(*back == value);
  }
}

TEST_CASE("the examples of RFC 8949 in longer encodings are decoded") {
  const struct {
    const char* hex;
    Value value;
  } examples[] = {
      {"fa7f800000", infinity},
      {"fa7fc00000", std::nan("")},
      {"faff800000", -infinity},
      {"fb7ff0000000000000", infinity},
      {"fb7ff8000000000000", std::nan("")},
      {"fbfff0000000000000", -infinity},
      {"5f42010243030405ff", Value::bytes("\1\2\3\4\5"sv)},
      {"7f657374726561646d696e67ff", "streaming"},
      {"9fff", Value::List{}},
      {"9f018202039f0405ffff", {1, {2, 3}, {4, 5}}},
      {"9f01820203820405ff", {1, {2, 3}, {4, 5}}},
      {"83018202039f0405ff", {1, {2, 3}, {4, 5}}},
      {"83019f0203ff820405", {1, {2, 3}, {4, 5}}},
      {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25}},
      {"bf61610161629f0203ffff", Value::Map{{"a", 1}, {"b", {2, 3}}}},
      {"826161bf61626163ff", {"a", Value::Map{{"b", "c"}}}},
      {"bf6346756ef563416d7421ff", Value::Map{{"Fun", true}, {"Amt", -2}}},
      {"1b0000000000000001", 1}, // longer than needed
      {"190001", 1},
      {"3b0000000000000000", -1},
      {"1b7fffffffffffffff", std::numeric_limits<std::int64_t>::max()},
      {"3b7fffffffffffffff", std::numeric_limits<std::int64_t>::min()},
      {"5fff", Value::bytes(""sv)},
      {"7fff", ""},
      {"9800", Value::List{}},
      {"b800", Value::Map{}},
  };
  for (const auto& [hex, value] : examples) {
    const auto found = decoded(hex);
    INFO(hex, ": ", found.error().message());
    REQUIRE(found.ok());
    CHECK(*found == value);
  }
}

TEST_CASE("the examples of RFC 8949 that have no place in a value are refused by name") {
  CHECK(decoded("1bffffffffffffffff").error() == Errc::value_too_large);
  CHECK(decoded("3bffffffffffffffff").error() == Errc::value_too_large);
  for (const char* hex :
       {"c249010000000000000000", "c349010000000000000000", "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0", "c1fb41d452d9e8200000", "d74401020304", "d818456449455446",
        "d82076687474703a2f2f7777772e6578616d706c652e636f6d", "f7", "f0", "f8ff"})
    CHECK_MESSAGE(decoded(hex).error() == Errc::operation_not_supported, hex);
}

TEST_CASE("what is not well-formed (RFC 8949, appendix F) is refused") {
  for (const char* hex : {// the input ends too early
                          "", "18", "19", "1a", "1b", "1901", "1a0102", "1b01020304050607", "38", "58", "78", "98",
                          "9a01ff00", "b8", "d8", "f8", "f900", "fa0000", "fb000000", "41", "61", "5affffffff00",
                          "5bffffffffffffffff010203", "7affffffff00", "7b7fffffffffffffff010203", "81",
                          "818181818181818181", "8200", "a1", "a20102", "a100", "a2000000", "5f4100", "7f6100", "9f",
                          "9f0102", "bf", "bf01020102", "819f", "9f8000", "9f9f9f9f9fffffffff", "9f819f819f9fffffff",
                          "9bffffffffffffffff00", "bbffffffffffffffff00", "9b0000000100000000", "bb0000000100000000",
                          // reserved additional information
                          "1c", "1d", "1e", "3c", "3d", "3e", "5c", "5d", "5e", "7c", "7d", "7e", "9c", "9d", "9e",
                          "bc", "bd", "be", "dc", "dd", "de", "fc", "fd", "fe",
                          // reserved two-byte encodings of simple values
                          "f800", "f801", "f818", "f81f",
                          // pieces of strings that are of another type, or of indefinite length
                          "5f00ff", "5f21ff", "5f6100ff", "5f80ff", "5fa0ff", "5fc000ff", "5fe0ff", "7f4100ff",
                          "5f5f4100ffff", "7f7f6100ffff",
                          // a stop where none may be
                          "ff", "81ff", "8200ff", "a1ff", "a1ff00", "a100ff", "a20000ff", "9f81ff",
                          "9f829f819f9fffffffff", "bf00ff", "bf000000ff",
                          // integers and tags of indefinite length
                          "1f", "3f", "df",
                          // more than one item
                          "0000", "8000", "f6f6",
                          // the same key twice, in two encodings
                          "a201000100", "a20100180100", "bf01000100ff"})
    CHECK_MESSAGE(decoded(hex).error() == Errc::bad_message, hex);
}

TEST_CASE("a text that is not UTF-8 is neither encoded nor decoded, and leaves the buffer as it was") {
  for (const char* text : {"\x80", "\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xf0\x8f\xbf\xbf", "12345678\xe6\xb0", "\xf5\x80\x80\x80"}) {
    std::string buffer = "before";
    CHECK(rt::cbor::encode({1, text}, buffer).error() == Errc::illegal_byte_sequence);
    CHECK(buffer == "before");
    std::string bytes(1, static_cast<char>(0x60 + std::string_view(text).size()));
    CHECK(rt::cbor::decode(bytes + text).error() == Errc::illegal_byte_sequence);
  }
  // A character may not be split between pieces (section 3.2.3).
  CHECK(decoded("7f61c361bcff").error() == Errc::illegal_byte_sequence);
  CHECK(rt::cbor::encode("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf").ok());
}

TEST_CASE("nesting is encoded and decoded up to the limit, and any depth beyond it is refused") {
  Value value = 1;
  for (unsigned depth = 0; depth < Value::most_depth; ++depth) {
    Value outer;
    if (depth % 2)
      outer = Value::List{std::move(value)};
    else
      outer = Value::Map{{"k", std::move(value)}};
    value = std::move(outer);
  }
  const std::string bytes = rt::cbor::encode(value).value();
  CHECK(rt::cbor::decode(bytes).value() == value);
  CHECK(rt::cbor::encode(Value::List{value}).error() == Errc::value_too_large);
  CHECK(rt::cbor::decode("\x81" + bytes).error() == Errc::value_too_large);
  for (const char c : {'\x81', '\x9f', '\xa1', '\xbf'})
    CHECK(rt::cbor::decode(std::string(1'000'000, c)).error() == Errc::value_too_large);
}

TEST_CASE("equal maps have the same encoding, with the keys in the order of their bytes") {
  // The example of section 4.2.1.
  const Value::Map map{{false, 7}, {"aa", 5}, {{-1}, 6}, {100, 2}, {10, 1}, {"z", 4}, {-1, 3}};
  CHECK(to_hex(rt::cbor::encode(map).value()) == "a70a011864022003617a046261610581200"
                                                 "6f407");
  Value::Map other;
  const auto sorted = map.sorted();
  for (auto item = sorted.rbegin(); item != sorted.rend(); ++item) other.set((*item)->key, (*item)->value);
  CHECK(rt::cbor::encode(other).value() == rt::cbor::encode(map).value());
}

TEST_CASE("each half-precision number is decoded, and encoded as it was") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const std::string bytes = {'\xf9', static_cast<char>(bits >> 8), static_cast<char>(bits)};
    const double number = rt::cbor::decode(bytes).value().number();
    if (number != number) {
      CHECK(((bits >> 10 & 0x1f) == 31 && (bits & 0x3ff) != 0));
      continue;
    }
    const int exponent = static_cast<int>(bits >> 10 & 0x1f);
    const double fraction = bits & 0x3ff;
    double expected = exponent == 0    ? std::ldexp(fraction, -24)
                      : exponent == 31 ? infinity
                                       : std::ldexp(fraction + 1024, exponent - 25);
    if (bits & 0x8000) expected = -expected;
    if (number != expected || std::signbit(number) != std::signbit(expected)) FAIL_CHECK(bits);
    if (rt::cbor::encode(number).value() != bytes) FAIL_CHECK(bits);
  }
}

TEST_CASE("any floating-point number comes back as it was, in the fewest bytes that keep it") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t bits = random();
    double number;
    if (i % 2) {
      number = std::bit_cast<double>(bits);
    } else {
      number = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    if (number != number) continue;
    const std::string bytes = rt::cbor::encode(number).value();
    CHECK(rt::cbor::decode(bytes).value() == Value(number));
    if (i % 2 == 0) CHECK(bytes.size() <= 5);
  }
}

TEST_CASE("bytes at random are a value or an error") {
  std::mt19937 random(11);
  unsigned values = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (const auto value = rt::cbor::decode(bytes)) {
      ++values;
      CHECK(rt::cbor::decode(rt::cbor::encode(*value).value()).value() == *value);
    }
  }
  CHECK(values > 1000);
}

namespace {

/// A value of any kind, of which nothing is larger than a small multiple of what is left of `budget`.
Value value_at_random(std::mt19937_64& random, unsigned levels, unsigned& budget) {
  if (budget != 0) --budget;
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  switch (below(levels == 0 || budget == 0 ? 7 : 10)) {
  case 0: return nullptr;
  case 1: return below(2) == 0;
  case 2: return static_cast<std::int64_t>(random()) >> below(64);
  case 3: return std::bit_cast<double>(random());
  case 4: return std::ldexp(static_cast<double>(below(2048)), static_cast<int>(below(40)) - 30);
  case 5: {
    std::string text;
    for (auto size = below(40); size != 0; --size)
      text += std::array{"a", "\"", "\\", "\n", "\u00fc", "\u6c34", "\U00010151"}[below(7)];
    return text;
  }
  case 6: return Value::bytes_of(std::string(below(300), static_cast<char>(random())));
  case 7:
  case 8: {
    Value::List list;
    for (auto size = below(30); size != 0; --size) list.push_back(value_at_random(random, levels - 1, budget));
    return list;
  }
  default: {
    Value::Map map;
    for (auto size = below(30); size != 0; --size) {
      Value key = value_at_random(random, 0, budget);
      // Python has but one zero, and true is 1 to it; not-a-number is not equal to itself there.
      if (key.is_boolean() || key.is_floating()) key = nullptr;
      map.set(std::move(key), value_at_random(random, levels - 1, budget));
    }
    return map;
  }
  }
}

struct TemporaryFile {
  std::string path = std::string(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + "/rt-cbor-XXXXXX";
  TemporaryFile() { REQUIRE(close(mkstemp(path.data())) == 0); }
  ~TemporaryFile() { std::remove(path.c_str()); }
};

} // namespace

TEST_CASE("values go to Python's cbor2 and come back, and its own are understood") {
  std::mt19937_64 random(1);
  std::vector<Value> sent;
  const TemporaryFile input;
  std::FILE* const file = std::fopen(input.path.c_str(), "w");
  REQUIRE(file);
  for (int i = 0; i < 300; ++i) {
    unsigned budget = 300;
    sent.push_back(value_at_random(random, 5, budget));
    std::fprintf(file, "%s\n", to_hex(rt::cbor::encode(sent.back()).value()).c_str());
  }
  REQUIRE(std::fclose(file) == 0);

  std::FILE* const peer = popen(("/usr/bin/python3 tests/unit/cbor_peer.py <" + input.path).c_str(), "r");
  REQUIRE(peer);
  std::vector<std::string> lines(1);
  for (int c; (c = std::getc(peer)) != EOF;) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back().push_back(static_cast<char>(c));
  }
  REQUIRE(pclose(peer) == 0);
  REQUIRE(lines.size() == 400 + 1 + sent.size() + 1);
  for (int i = 0; i < 400; i += 2) {
    const Value plain = decoded(lines[static_cast<std::size_t>(i)]).value();
    CHECK(plain == decoded(lines[static_cast<std::size_t>(i) + 1]).value());
  }
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(decoded(lines[401 + i]).value() == sent[i]);
}
