#include <rt/process/cbor.hpp>

#include <rt/base/utf8.hpp>

#include <algorithm>
#include <bit>

namespace rt::cbor {

namespace {

// The first byte: three bits of major type, five of additional information.
enum class Major : unsigned char { unsigned_integer, negative_integer, bytes, text, list, map, tag, simple };
constexpr unsigned char one_byte = 24, two_bytes = 25, four_bytes = 26, eight_bytes = 27, indefinite = 31;
constexpr unsigned char simple_false = 20, simple_true = 21, simple_null = 22;
constexpr unsigned char stop = 0xff; // ends what has indefinite length

// --- Encoding --------------------------------------------------------------------------------------------------------

void put_head(std::string& out, Major major, unsigned char information) {
  out.push_back(static_cast<char>(static_cast<unsigned>(major) << 5 | information));
}

void put_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  char text[8];
  for (unsigned i = 0; i < bytes; ++i) text[i] = static_cast<char>(value >> 8 * (bytes - 1 - i));
  out.append(text, bytes);
}

void put_number(std::string& out, Major major, std::uint64_t value) {
  if (value < one_byte) return put_head(out, major, static_cast<unsigned char>(value));
  const unsigned char size = value <= 0xff         ? one_byte
                             : value <= 0xffff     ? two_bytes
                             : value <= 0xffffffff ? four_bytes
                                                   : eight_bytes;
  put_head(out, major, size);
  put_big_endian(out, value, 1u << (size - one_byte));
}

/// The bits of the half-precision number that is worth as much; none: there is none.
bool to_half(float value, std::uint16_t& half) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
  std::uint32_t rest;
  if (exponent == 0xff) {
    rest = 0x7c00; // infinity
  } else if (exponent > 112 && exponent < 143 && (fraction & 0x1fff) == 0) {
    rest = (exponent - 112) << 10 | fraction >> 13;
  } else if (exponent > 102 && exponent <= 112) { // subnormal: multiples of 2^-24
    const std::uint32_t significand = fraction | 0x800000, shift = 126 - exponent;
    if ((significand & ((1u << shift) - 1)) != 0) return false;
    rest = significand >> shift;
  } else if ((exponent | fraction) == 0) {
    rest = 0;
  } else {
    return false;
  }
  half = static_cast<std::uint16_t>(sign | rest);
  return true;
}

void put_floating(std::string& out, double value) {
  if (value != value) return put_head(out, Major::simple, two_bytes), put_big_endian(out, 0x7e00, 2);
  const bool infinite = __builtin_isinf(value), in_range = __builtin_fabs(value) <= __FLT_MAX__;
  const float single = infinite || in_range ? static_cast<float>(value) : 0;
  std::uint16_t half;
  if (static_cast<double>(single) != value) {
    put_head(out, Major::simple, eight_bytes);
    put_big_endian(out, std::bit_cast<std::uint64_t>(value), 8);
  } else if (to_half(single, half)) {
    put_head(out, Major::simple, two_bytes);
    put_big_endian(out, half, 2);
  } else {
    put_head(out, Major::simple, four_bytes);
    put_big_endian(out, std::bit_cast<std::uint32_t>(single), 4);
  }
}

Result<void> put_value(std::string& out, const Value& value, unsigned levels);

/// The items are written as they come, and put into the order of their keys' encodings where they are not in it.
Result<void> put_map(std::string& out, const Value::Map& map, unsigned levels) {
  put_number(out, Major::map, map.size());
  struct Place {
    std::size_t begin, value, end; // in `out`
  };
  std::vector<Place> places;
  if (map.size() > 1) places.reserve(map.size());
  const std::size_t begin = out.size();
  for (const auto& item : map) {
    Place place = {out.size(), 0, 0};
    if (const auto put = put_value(out, item.key, levels); !put) return put;
    place.value = out.size();
    if (const auto put = put_value(out, item.value, levels); !put) return put;
    place.end = out.size();
    if (map.size() > 1) places.push_back(place);
  }
  const auto key = [&](const Place& place) {
    return std::string_view(out).substr(place.begin, place.value - place.begin);
  };
  if (std::ranges::is_sorted(places, {}, key)) return {};
  std::ranges::sort(places, {}, key);
  std::string sorted;
  sorted.reserve(out.size() - begin);
  for (const Place& place : places) sorted.append(out, place.begin, place.end - place.begin);
  out.replace(begin, sorted.size(), sorted);
  return {};
}

/// levels: how many there may be below this value.
Result<void> put_value(std::string& out, const Value& value, unsigned levels) {
  using Kind = Value::Kind;
  switch (value.kind()) {
  case Kind::null: put_head(out, Major::simple, simple_null); break;
  case Kind::boolean: put_head(out, Major::simple, value.boolean() ? simple_true : simple_false); break;
  case Kind::integer:
    if (const std::int64_t integer = value.integer(); integer >= 0)
      put_number(out, Major::unsigned_integer, static_cast<std::uint64_t>(integer));
    else
      put_number(out, Major::negative_integer, static_cast<std::uint64_t>(-1 - integer));
    break;
  case Kind::floating: put_floating(out, value.number()); break;
  case Kind::text:
    if (!is_utf8(value.text())) return Errc::illegal_byte_sequence;
    put_number(out, Major::text, value.text().size());
    out += value.text();
    break;
  case Kind::bytes:
    put_number(out, Major::bytes, value.bytes().size());
    out += value.bytes();
    break;
  case Kind::list:
    if (levels == 0) return Errc::value_too_large;
    put_number(out, Major::list, value.list().size());
    for (const Value& item : value.list())
      if (const auto put = put_value(out, item, levels - 1); !put) return put;
    break;
  case Kind::map:
    if (levels == 0) return Errc::value_too_large;
    return put_map(out, value.map(), levels - 1);
  }
  return {};
}

// --- Decoding --------------------------------------------------------------------------------------------------------

double from_half(std::uint64_t bits) {
  const std::uint64_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  double magnitude = static_cast<double>(fraction) * 0x1p-24;
  if (exponent == 31)
    magnitude = fraction == 0 ? __builtin_inf() : __builtin_nan("");
  else if (exponent != 0)
    magnitude = std::bit_cast<double>((exponent - 15 + 1023) << 52 | fraction << 42);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// Reads from the front of what is left. Once something is wrong, `error` says what.
class Decoder {
 public:
  explicit Decoder(std::string_view input) : rest_(input) {}

  Result<Value> decode_all() {
    Value value = decode_value(Value::most_depth);
    if (error_ == Errc::none && !rest_.empty()) error_ = Errc::bad_message;
    if (error_ != Errc::none) return error_;
    return value;
  }

 private:
  /// What stands before each item.
  struct Head {
    Major major;
    unsigned char information;
    std::uint64_t number; // 0 of indefinite length

    bool is_indefinite() const { return information == indefinite; }
  };

  Value fail(Errc error) {
    if (error_ == Errc::none) error_ = error;
    return {};
  }
  bool failed() const { return error_ != Errc::none; }

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) return fail(Errc::bad_message), std::string_view();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  Head take_head() {
    const std::string_view first = take(1);
    if (failed()) return {};
    const auto byte = static_cast<unsigned char>(first[0]);
    Head head = {static_cast<Major>(byte >> 5), static_cast<unsigned char>(byte & 0x1f), 0};
    if (head.information < one_byte) {
      head.number = head.information;
    } else if (head.information <= eight_bytes) {
      for (const char c : take(1u << (head.information - one_byte)))
        head.number = head.number << 8 | static_cast<unsigned char>(c);
    } else if (!head.is_indefinite() || head.major <= Major::negative_integer || head.major == Major::tag) {
      fail(Errc::bad_message);
    }
    return head;
  }

  /// Before each item of what has indefinite length.
  bool take_stop() {
    if (rest_.empty()) return fail(Errc::bad_message), true;
    if (static_cast<unsigned char>(rest_[0]) != stop) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Value decode_value(unsigned levels) {
    const Head head = take_head();
    if (failed()) return {};
    constexpr std::uint64_t most = 0x7fffffffffffffff;
    switch (head.major) {
    case Major::unsigned_integer:
      if (head.number > most) return fail(Errc::value_too_large);
      return head.number;
    case Major::negative_integer:
      if (head.number > most) return fail(Errc::value_too_large);
      return -1 - static_cast<std::int64_t>(head.number);
    case Major::bytes:
      return head.is_indefinite() ? Value::bytes_of(decode_pieces(head)) : Value::bytes(take_piece(head));
    case Major::text: return head.is_indefinite() ? Value(decode_pieces(head)) : Value(take_piece(head));
    case Major::list: return levels == 0 ? fail(Errc::value_too_large) : decode_list(head, levels - 1);
    case Major::map: return levels == 0 ? fail(Errc::value_too_large) : decode_map(head, levels - 1);
    case Major::tag: return fail(Errc::operation_not_supported);
    case Major::simple: return decode_simple(head);
    }
    return {};
  }

  std::string_view take_piece(const Head& head) {
    const std::string_view piece = take(head.number);
    if (head.major != Major::text || is_utf8(piece)) return piece;
    return fail(Errc::illegal_byte_sequence), std::string_view();
  }

  /// Of indefinite length: pieces, each with a length, and of a text each UTF-8 for itself.
  std::string decode_pieces(const Head& head) {
    std::string result;
    while (!take_stop()) {
      const Head piece = take_head();
      if (!failed() && (piece.major != head.major || piece.is_indefinite())) fail(Errc::bad_message);
      if (failed()) break;
      result += take_piece(piece);
    }
    return result;
  }

  /// Whether there is another item of a list or map.
  bool more(const Head& head, std::uint64_t& done) {
    if (failed()) return false;
    return head.is_indefinite() ? !take_stop() : done++ < head.number;
  }

  Value decode_list(const Head& head, unsigned levels) {
    Value::List list;
    // Each item has a byte at least: a length that promises more lies.
    if (head.number > rest_.size()) return fail(Errc::bad_message);
    if (!head.is_indefinite()) list.reserve(std::min<std::uint64_t>(head.number, 4096));
    for (std::uint64_t done = 0; more(head, done);) list.push_back(decode_value(levels));
    return list;
  }

  Value decode_map(const Head& head, unsigned levels) {
    Value::Map map;
    if (head.number > rest_.size() / 2) return fail(Errc::bad_message);
    for (std::uint64_t done = 0; more(head, done);) {
      Value key = decode_value(levels);
      if (failed()) break;
      Value value = decode_value(levels);
      if (!failed() && !map.set(std::move(key), std::move(value))) fail(Errc::bad_message);
    }
    return map;
  }

  Value decode_simple(const Head& head) {
    switch (head.information) {
    case simple_false: return false;
    case simple_true: return true;
    case simple_null: return nullptr;
    case two_bytes: return from_half(head.number);
    case four_bytes: return std::bit_cast<float>(static_cast<std::uint32_t>(head.number));
    case eight_bytes: return std::bit_cast<double>(head.number);
    case indefinite: return fail(Errc::bad_message); // a stop where an item has to be
    case one_byte: return fail(head.number < 32 ? Errc::bad_message : Errc::operation_not_supported);
    default: return fail(Errc::operation_not_supported);
    }
  }

  std::string_view rest_;
  Errc error_ = Errc::none;
};

} // namespace

Result<void> encode(const Value& value, std::string& buffer) {
  const std::size_t before = buffer.size();
  const auto put = put_value(buffer, value, Value::most_depth);
  if (!put) buffer.resize(before);
  return put;
}

Result<std::string> encode(const Value& value) {
  std::string buffer;
  if (const auto put = encode(value, buffer); !put) return put.error();
  return buffer;
}

Result<Value> decode(std::string_view bytes) { return Decoder(bytes).decode_all(); }

} // namespace rt::cbor
