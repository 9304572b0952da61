#pragma once
// Value: what one process can tell another, whatever language that is written in: the data model of JSON, with integers
// apart from floating point, with byte strings, and with keys of any kind.
//
//   rt::Value message = {12, rt::Value::Map{{"name", "alice"}}, "hello"};   // braces make a list
//   rt::println("{}", message);                                             // [12, {"name": "alice"}, "hello"]
//   message.list()[1].map()["age"] = 30;
//
// A Value owns all that is in it: a copy is a copy of everything, a move costs nothing. It is encoded as CBOR
// (rt/process/cbor.hpp) and printed as JSON-like text (value_text.cpp).
//
// Values have a total order: null < false < true < numbers < texts < bytes < lists < maps. Numbers are ordered by what
// they are worth; of equal ones the integer comes first, -0.0 is before 0.0, and not-a-number is last. So 1 and 1.0 are
// different keys of a map. Texts and bytes are compared byte by byte, lists item by item, maps by their items in the
// order of the keys, whatever the order in which these were added.

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rt/base/format.hpp>
#include <rt/base/result.hpp>

namespace rt {

class Value {
 public:
  enum class Kind : unsigned char { null, boolean, integer, floating, text, bytes, list, map };

  using List = std::vector<Value>;
  class Map;

  /// How deep a value that is encoded, decoded or parsed may be nested. What takes Values apart calls itself for each
  /// level, on the stack of a fiber, perhaps.
  static constexpr unsigned most_depth = 64;

  Value() {}
  Value(std::nullptr_t) {}
  Value(std::same_as<bool> auto value) : kind_(Kind::boolean) { boolean_ = value; }
  /// Panics when the number is greater than 2^63 - 1.
  template <class T>
  requires(std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, bool>) Value(T value) : kind_(Kind::integer) {
    if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8)
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) panic_on_range(value);
    integer_ = static_cast<std::int64_t>(value);
  }
  Value(std::floating_point auto value) : kind_(Kind::floating) { floating_ = static_cast<double>(value); }
  /// A text is UTF-8. Whether it is, is checked when it is encoded.
  Value(std::string_view text) : kind_(Kind::text) { text_ = new std::string(text); }
  Value(const char* text) : Value(std::string_view(text)) {}
  Value(const std::string& text) : Value(std::string_view(text)) {}
  Value(std::string&& text) : kind_(Kind::text) { text_ = new std::string(std::move(text)); }
  Value(List list) : kind_(Kind::list) { list_ = new List(std::move(list)); }
  Value(std::initializer_list<Value> items) : Value(List(items)) {}
  Value(Map map);

  static Value bytes(std::string_view bytes) { return bytes_of(std::string(bytes)); }
  static Value bytes_of(std::string&& bytes) {
    Value value(std::move(bytes));
    value.kind_ = Kind::bytes;
    return value;
  }

  Value(const Value& other);
  Value(Value&& other) noexcept : kind_(std::exchange(other.kind_, Kind::null)), all_(other.all_) {}
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(all_, other.all_);
    return *this;
  }
  ~Value() {
    if (kind_ >= Kind::text) destroy();
  }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_boolean() const { return kind_ == Kind::boolean; }
  bool is_integer() const { return kind_ == Kind::integer; }
  bool is_floating() const { return kind_ == Kind::floating; }
  bool is_number() const { return is_integer() || is_floating(); }
  bool is_text() const { return kind_ == Kind::text; }
  bool is_bytes() const { return kind_ == Kind::bytes; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::map; }

  // What is in it. Each panics when the value is of another kind: of one that came from elsewhere, look at kind().

  bool boolean() const { return expect(Kind::boolean), boolean_; }
  std::int64_t integer() const { return expect(Kind::integer), integer_; }
  /// Of an integer as well, to the nearest double.
  double number() const {
    if (is_integer()) return static_cast<double>(integer_);
    return expect(Kind::floating), floating_;
  }
  std::string_view text() const { return expect(Kind::text), std::string_view(*text_); }
  std::string_view bytes() const { return expect(Kind::bytes), std::string_view(*text_); }
  List& list() { return expect(Kind::list), *list_; }
  const List& list() const { return expect(Kind::list), *list_; }
  Map& map() { return expect(Kind::map), *map_; }
  const Map& map() const { return expect(Kind::map), *map_; }

  /// The value of a key; nullptr if there is none, or if this is not a map.
  const Value* find(const Value& key) const;

  friend std::strong_ordering operator<=>(const Value& a, const Value& b);
  friend bool operator==(const Value& a, const Value& b);

  /// Prints JSON with these additions: keys of any kind, bytes as h'00ff' (the diagnostic notation of RFC 8949, section
  /// 8), NaN, Infinity and -Infinity. Floating-point numbers have a point or an exponent. In a text that is not UTF-8,
  /// U+FFFD stands for each byte that does not belong.
  friend void format_value(Output& out, const Value& value);

  /// Equal values have equal hashes, of which nobody outside of the process can tell which values have the same.
  std::uint64_t hash() const;

  /// What was printed, read back; JSON as well. bad_message: it is no such text. value_too_large: a number is too large
  /// for 64 bits, or nested too deeply. illegal_byte_sequence: not UTF-8.
  static Result<Value> parse(std::string_view text);

 private:
  void expect(Kind kind) const {
    if (kind_ != kind) [[unlikely]]
      panic_on_kind(kind);
  }
  [[noreturn]] void panic_on_kind(Kind wanted) const;
  [[noreturn]] static void panic_on_range(std::uint64_t value);
  void destroy();

  Kind kind_ = Kind::null;
  union {
    std::uint64_t all_ = 0;
    bool boolean_;
    std::int64_t integer_;
    double floating_;
    std::string* text_; // bytes as well
    List* list_;
    Map* map_;
  };
};

/// "null", "a list".
std::string_view name_of(Value::Kind kind);

} // namespace rt

#include <rt/process/value_map.hpp>
