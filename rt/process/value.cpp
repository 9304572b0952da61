#include <rt/process/value.hpp>

#include <rt/base/panic.hpp>
#include <rt/kernel/random.hpp>

#include <algorithm>

namespace rt {

Value::Value(const Value& other) : kind_(other.kind_), all_(other.all_) {
  switch (kind_) {
  case Kind::text:
  case Kind::bytes: text_ = new std::string(*other.text_); break;
  case Kind::list: list_ = new List(*other.list_); break;
  case Kind::map: map_ = new Map(*other.map_); break;
  default: break;
  }
}

void Value::destroy() {
  switch (kind_) {
  case Kind::text:
  case Kind::bytes: delete text_; break;
  case Kind::list: delete list_; break;
  case Kind::map: delete map_; break;
  default: break;
  }
}

const Value* Value::find(const Value& key) const { return is_map() ? map_->find(key) : nullptr; }

std::string_view name_of(Value::Kind kind) {
  switch (kind) {
  case Value::Kind::null: return "null";
  case Value::Kind::boolean: return "a boolean";
  case Value::Kind::integer: return "an integer";
  case Value::Kind::floating: return "a floating-point number";
  case Value::Kind::text: return "a text";
  case Value::Kind::bytes: return "a byte string";
  case Value::Kind::list: return "a list";
  case Value::Kind::map: return "a map";
  }
  return "nothing";
}

void Value::panic_on_kind(Kind wanted) const {
  panic("a Value that is {} is used as {}; look at kind() before", name_of(kind_), name_of(wanted));
}

void Value::panic_on_range(std::uint64_t value) {
  panic("{} is too large for a Value, which has signed integers of 64 bits", value);
}

// --- Order -----------------------------------------------------------------------------------------------------------

namespace {

using Order = std::strong_ordering;

/// -0.0 before 0.0, not-a-number last.
Order compare(double a, double b) {
  if (a < b) return Order::less;
  if (a > b) return Order::greater;
  if (a != a || b != b) return (a != a) <=> (b != b);
  return (__builtin_signbit(b) != 0) <=> (__builtin_signbit(a) != 0);
}

/// Exactly: what a double is worth, it need not be in 64 bits, and the other way round.
Order compare(std::int64_t a, double b) {
  constexpr double limit = 9223372036854775808.0; // 2^63
  if (b != b || b >= limit) return Order::less;
  if (b < -limit) return Order::greater;
  const auto whole = static_cast<std::int64_t>(b);
  if (a != whole) return a <=> whole;
  const double fraction = b - static_cast<double>(whole);
  return fraction < 0 ? Order::greater : Order::less; // of equal ones the integer comes first
}

Order compare(std::string_view a, std::string_view b) {
  const int order = a.compare(b);
  return order <=> 0;
}

Order compare(const Value::List& a, const Value::List& b) {
  const std::size_t both = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < both; ++i)
    if (const Order order = a[i] <=> b[i]; order != Order::equal) return order;
  return a.size() <=> b.size();
}

Order compare(const Value::Map& a, const Value::Map& b) {
  const auto items = a.sorted(), others = b.sorted();
  const std::size_t both = std::min(items.size(), others.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (const Order order = items[i]->key <=> others[i]->key; order != Order::equal) return order;
    if (const Order order = items[i]->value <=> others[i]->value; order != Order::equal) return order;
  }
  return items.size() <=> others.size();
}

bool equal(const Value::Map& a, const Value::Map& b) {
  if (a.size() != b.size()) return false;
  for (const auto& item : a) {
    const Value* const other = b.find(item.key);
    if (!other || *other != item.value) return false;
  }
  return true;
}

} // namespace

std::strong_ordering operator<=>(const Value& a, const Value& b) {
  using Kind = Value::Kind;
  if (a.kind_ == Kind::integer && b.kind_ == Kind::floating) return compare(a.integer_, b.floating_);
  if (a.kind_ == Kind::floating && b.kind_ == Kind::integer) return 0 <=> compare(b.integer_, a.floating_);
  if (a.kind_ != b.kind_) return a.kind_ <=> b.kind_;
  switch (a.kind_) {
  case Kind::null: return Order::equal;
  case Kind::boolean: return a.boolean_ <=> b.boolean_;
  case Kind::integer: return a.integer_ <=> b.integer_;
  case Kind::floating: return compare(a.floating_, b.floating_);
  case Kind::text:
  case Kind::bytes: return compare(*a.text_, *b.text_);
  case Kind::list: return compare(*a.list_, *b.list_);
  case Kind::map: return compare(*a.map_, *b.map_);
  }
  return Order::equal;
}

bool operator==(const Value& a, const Value& b) {
  using Kind = Value::Kind;
  if (a.kind_ != b.kind_) return false;
  switch (a.kind_) {
  case Kind::text:
  case Kind::bytes: return *a.text_ == *b.text_;
  case Kind::list: return *a.list_ == *b.list_;
  case Kind::map: return equal(*a.map_, *b.map_);
  default: return (a <=> b) == Order::equal;
  }
}

// --- Hash ------------------------------------------------------------------------------------------------------------

namespace {

/// The halves of the product of both, mixed: each bit of the result depends on every bit of both.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Chosen once, when it is wanted first; children inherit it with their maps. Never 0.
std::uint64_t hash_key() {
  static constinit Atomic<std::uint64_t> key = 0;
  std::uint64_t value = key.load(std::memory_order_relaxed);
  if (value == 0) {
    std::uint64_t fresh = 0;
    kernel::fill_with_random(std::as_writable_bytes(std::span(&fresh, 1)));
    fresh |= 1;
    value = key.compare_exchange_strong(value, fresh) ? fresh : value;
  }
  return value;
}

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t state) {
  state = mix(state ^ bytes.size(), 0x9e3779b97f4a7c15);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word;
    __builtin_memcpy(&word, bytes.data(), 8);
    state = mix(state ^ word, 0xd6e8feb86659fd93) + word;
  }
  std::uint64_t rest = 0;
  __builtin_memcpy(&rest, bytes.data(), bytes.size());
  return mix(state ^ rest, 0xd6e8feb86659fd93 ^ hash_key());
}

} // namespace

std::uint64_t Value::hash() const {
  std::uint64_t state = hash_key() + static_cast<std::uint64_t>(kind_);
  switch (kind_) {
  case Kind::null: return mix(state, 0x9e3779b97f4a7c15);
  case Kind::boolean: return mix(state ^ boolean_, 0x9e3779b97f4a7c15);
  case Kind::integer: return mix(mix(state ^ all_, 0x9e3779b97f4a7c15) ^ hash_key(), 0xd6e8feb86659fd93);
  case Kind::floating: // all that are not a number are equal
    return mix(state ^ (floating_ == floating_ ? all_ : ~0ull), 0x9e3779b97f4a7c15);
  case Kind::text:
  case Kind::bytes: return hash_bytes(*text_, state);
  case Kind::list:
    for (const Value& item : *list_) state = mix(state ^ item.hash(), 0x9e3779b97f4a7c15) + 1;
    return state;
  case Kind::map: // the order does not count
    for (const Map::Item& item : *map_) state += mix(item.key.hash() ^ hash_key(), item.value.hash() | 1);
    return mix(state, 0x9e3779b97f4a7c15);
  }
  return state;
}

} // namespace rt
