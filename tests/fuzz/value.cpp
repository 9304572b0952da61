// What a peer may send: bytes that are to be CBOR, or a text that is to be a value. Whatever is accepted has to come
// back the same by both ways.

#include <rt/process/cbor.hpp>

#include <cstdint>
#include <cstdlib>

using rt::Value;

static void require(bool condition) {
  if (!condition) std::abort();
}

static std::string printed(const Value& value) {
  std::string text(rt::format_to(std::span<char>(), "{}", value), '\0');
  rt::format_to(std::span(text), "{}", value);
  return text;
}

static void check(const Value& value) {
  const std::string bytes = rt::cbor::encode(value).value();
  const Value decoded = rt::cbor::decode(bytes).value();
  require(decoded == value && decoded.hash() == value.hash());
  require(rt::cbor::encode(decoded).value() == bytes);
  require(Value::parse(printed(value)).value() == value);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto value = rt::cbor::decode(input)) check(*value);
  if (const auto value = Value::parse(input)) check(*value);
  return 0;
}
