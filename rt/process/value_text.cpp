// Values as text, to be read by people and read back by parse: JSON, with the additions that the header names.

#include <rt/process/value.hpp>

#include <rt/base/utf8.hpp>

#include <stdlib.h>

namespace rt {

// --- Printing --------------------------------------------------------------------------------------------------------

namespace {

void put_character(Output& out, std::string_view character) {
  switch (character[0]) {
  case '"': return out.put("\\\"");
  case '\\': return out.put("\\\\");
  case '\b': return out.put("\\b");
  case '\f': return out.put("\\f");
  case '\n': return out.put("\\n");
  case '\r': return out.put("\\r");
  case '\t': return out.put("\\t");
  }
  if (static_cast<unsigned char>(character[0]) < ' ' || character[0] == 0x7f)
    format_to(out, "\\u{:04x}", static_cast<unsigned>(character[0]));
  else
    out.put(character);
}

void put_text(Output& out, std::string_view text) {
  out.put('"');
  while (!text.empty()) {
    const std::size_t size = size_of_utf8_character(text);
    if (size == 0)
      out.put("\xef\xbf\xbd"); // U+FFFD
    else
      put_character(out, text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out.put('"');
}

void put_bytes(Output& out, std::string_view bytes) {
  out.put("h'");
  for (const char byte : bytes) format_to(out, "{:02x}", static_cast<unsigned char>(byte));
  out.put('\'');
}

void put_floating(Output& out, double value) {
  if (value != value) return out.put("NaN");
  if (__builtin_isinf(value)) return out.put(value < 0 ? std::string_view("-Infinity") : std::string_view("Infinity"));
  format_to(out, "{}", value);
}

void put_value(Output& out, const Value& value);

void put_list(Output& out, const Value::List& list) {
  std::string_view between = "";
  out.put('[');
  for (const Value& item : list) {
    out.put(between);
    put_value(out, item);
    between = ", ";
  }
  out.put(']');
}

void put_map(Output& out, const Value::Map& map) {
  std::string_view between = "";
  out.put('{');
  for (const auto& item : map) {
    out.put(between);
    put_value(out, item.key);
    out.put(": ");
    put_value(out, item.value);
    between = ", ";
  }
  out.put('}');
}

void put_value(Output& out, const Value& value) {
  switch (value.kind()) {
  case Value::Kind::null: return out.put("null");
  case Value::Kind::boolean: return out.put(value.boolean() ? std::string_view("true") : std::string_view("false"));
  case Value::Kind::integer: return format_to(out, "{}", value.integer());
  case Value::Kind::floating: return put_floating(out, value.number());
  case Value::Kind::text: return put_text(out, value.text());
  case Value::Kind::bytes: return put_bytes(out, value.bytes());
  case Value::Kind::list: return put_list(out, value.list());
  case Value::Kind::map: return put_map(out, value.map());
  }
}

// --- Parsing ---------------------------------------------------------------------------------------------------------

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// -1: no hexadecimal digit.
int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<Value> parse_all() {
    Value value = parse_value(Value::most_depth);
    skip_space();
    if (!rest_.empty()) fail(Errc::bad_message);
    if (error_ != Errc::none) return error_;
    return value;
  }

 private:
  Value fail(Errc error) {
    if (error_ == Errc::none) error_ = error;
    return {};
  }
  bool failed() const { return error_ != Errc::none; }

  void skip_space() {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
  }
  bool accept(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  /// The next byte; 0 at the end, after which nothing is right.
  char take() {
    if (rest_.empty()) return fail(Errc::bad_message), '\0';
    const char first = rest_[0];
    rest_.remove_prefix(1);
    return first;
  }

  Value parse_value(unsigned levels) {
    skip_space();
    if (accept("null")) return nullptr;
    if (accept("true")) return true;
    if (accept("false")) return false;
    if (accept("NaN")) return __builtin_nan("");
    if (accept("Infinity")) return __builtin_inf();
    if (accept("-Infinity")) return -__builtin_inf();
    if (accept("\"")) return parse_text();
    if (accept("h'")) return parse_bytes();
    if (accept("[")) return levels == 0 ? fail(Errc::value_too_large) : parse_list(levels - 1);
    if (accept("{")) return levels == 0 ? fail(Errc::value_too_large) : parse_map(levels - 1);
    return parse_number();
  }

  /// After an item: true, there is another one; false, that was the last.
  bool another(std::string_view end) {
    skip_space();
    if (failed() || accept(end)) return false;
    if (!accept(",")) fail(Errc::bad_message);
    return !failed();
  }

  Value parse_list(unsigned levels) {
    Value::List list;
    skip_space();
    if (accept("]")) return list;
    do list.push_back(parse_value(levels));
    while (another("]"));
    return list;
  }

  Value parse_map(unsigned levels) {
    Value::Map map;
    skip_space();
    if (accept("}")) return map;
    do {
      Value key = parse_value(levels);
      skip_space();
      if (!accept(":")) return fail(Errc::bad_message);
      if (!map.set(std::move(key), parse_value(levels))) return fail(Errc::bad_message);
    } while (another("}"));
    return map;
  }

  Value parse_bytes() {
    std::string bytes;
    while (!failed() && !accept("'")) {
      const int high = digit_of(take()), low = digit_of(take());
      if (high < 0 || low < 0) return fail(Errc::bad_message);
      bytes.push_back(static_cast<char>(high << 4 | low));
    }
    return Value::bytes_of(std::move(bytes));
  }

  Value parse_text() {
    std::string text;
    while (!failed() && !accept("\"")) {
      const std::size_t size = size_of_utf8_character(rest_);
      if (rest_.empty() || static_cast<unsigned char>(rest_[0]) < ' ') return fail(Errc::bad_message);
      if (size == 0) return fail(Errc::illegal_byte_sequence);
      if (accept("\\")) {
        parse_escape(text);
      } else {
        text += rest_.substr(0, size);
        rest_.remove_prefix(size);
      }
    }
    return text;
  }

  void parse_escape(std::string& text) {
    const char c = take();
    switch (c) {
    case '"':
    case '\\':
    case '/': return text.push_back(c);
    case 'b': return text.push_back('\b');
    case 'f': return text.push_back('\f');
    case 'n': return text.push_back('\n');
    case 'r': return text.push_back('\r');
    case 't': return text.push_back('\t');
    case 'u': return put_code_point(text, parse_code_point());
    default: fail(Errc::bad_message);
    }
  }

  std::uint32_t parse_four_digits() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = digit_of(take());
      if (digit < 0) fail(Errc::bad_message);
      value = value << 4 | static_cast<std::uint32_t>(digit & 0xf);
    }
    return value;
  }
  /// Above U+FFFF as two surrogates, which mean nothing alone.
  std::uint32_t parse_code_point() {
    const std::uint32_t first = parse_four_digits();
    if (first < 0xd800 || first > 0xdfff) return first;
    const std::uint32_t second = first <= 0xdbff && accept("\\u") ? parse_four_digits() : 0;
    if (second < 0xdc00 || second > 0xdfff) fail(Errc::illegal_byte_sequence);
    return 0x10000 + ((first & 0x3ff) << 10 | (second & 0x3ff));
  }
  static void put_code_point(std::string& text, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
    if (code < 0x10000) return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
    put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  }

  std::size_t count_digits(std::size_t at) const {
    std::size_t end = at;
    while (end < rest_.size() && rest_[end] >= '0' && rest_[end] <= '9') ++end;
    return end - at;
  }

  /// As JSON writes numbers: -1, 0.5, 1e-7; no zero before other digits.
  Value parse_number() {
    const std::size_t begin = rest_.starts_with('-'), digits = count_digits(begin);
    std::size_t end = begin + digits;
    if (digits == 0 || (digits > 1 && rest_[begin] == '0')) return fail(Errc::bad_message);
    bool floating = false;
    if (end < rest_.size() && rest_[end] == '.') {
      const std::size_t decimals = count_digits(end + 1);
      if (decimals == 0) return fail(Errc::bad_message);
      end += 1 + decimals;
      floating = true;
    }
    if (end < rest_.size() && (rest_[end] | 0x20) == 'e') {
      const bool sign = end + 1 < rest_.size() && (rest_[end + 1] == '-' || rest_[end + 1] == '+');
      const std::size_t exponent = count_digits(end + 1 + sign);
      if (exponent == 0) return fail(Errc::bad_message);
      end += 1 + sign + exponent;
      floating = true;
    }
    const std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return floating ? Value(strtod(text.c_str(), nullptr)) : parse_integer(text);
  }

  Value parse_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    std::int64_t value = 0;
    for (const char c : text.substr(negative)) {
      const int digit = negative ? '0' - c : c - '0';
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
        return fail(Errc::value_too_large);
    }
    return value;
  }

  std::string_view rest_;
  Errc error_ = Errc::none;
};

} // namespace

void format_value(Output& out, const Value& value) { put_value(out, value); }

Result<Value> Value::parse(std::string_view text) { return Parser(text).parse_all(); }

} // namespace rt
