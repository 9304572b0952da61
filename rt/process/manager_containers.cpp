// The objects of a manager that hold values: dict and name_space, list and array, value.

#include <rt/process/manager_object.hpp>
#include <rt/process/manager_protocol.hpp>

#include <algorithm>

namespace rt::managing {
namespace {

/// invalid_argument: not two numbers. value_too_large: beyond 64 bits.
Answer sum(const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) return Errc::invalid_argument;
  std::int64_t result;
  if (a.is_floating() || b.is_floating()) return Value(a.number() + b.number());
  if (__builtin_add_overflow(a.integer(), b.integer(), &result)) return Errc::value_too_large;
  return Value(result);
}

/// Adds a number to what is there, and answers with the sum.
Answer add(Value& to, const Value& number) {
  Answer result = sum(to, number);
  if (result) to = *result;
  return result;
}

Answer compare_and_set(Value& target, const Value& expected, Value&& desired) {
  const bool equal = target == expected;
  if (equal) target = std::move(desired);
  return Value(equal);
}

class DictObject final : public Object {
 public:
  DictObject(std::string_view kind, Value::Map&& items) : kind_(kind), items_(std::move(items)) {}

  std::string_view kind() const override { return kind_; }

  Answer call(Request& request) override {
    const std::string_view method = request.method;
    if (method == "get") return get(request);
    if (method == "set") return items_.set(request.take(0), request.take(1)), done();
    if (method == "contains") return Value(items_.contains(request.argument(0)));
    if (method == "size") return Value(items_.size());
    if (method == "delete") return items_.erase(request.argument(0)) ? done() : Errc::not_found;
    if (method == "clear") return items_.clear(), done();
    if (method == "copy") return Value(items_);
    if (method == "pop") return pop(request);
    if (method == "pop_item") return pop_item();
    if (method == "set_default") return set_default(request);
    if (method == "update") return update(request.argument(0));
    if (method == "add") return add_to(request);
    if (method == "compare_and_set") return compare_and_set_item(request);
    return list(method);
  }

  void visit(void (*see)(void*, const Value&), void* argument) const override {
    for (const auto& item : items_) see(argument, item.key), see(argument, item.value);
  }

 private:
  Answer get(Request& request) const {
    if (const Value* const found = items_.find(request.argument(0))) return *found;
    return request.has(1) ? Answer(request.take(1)) : Errc::not_found;
  }

  Answer pop(Request& request) {
    Answer answer = get(request);
    items_.erase(request.argument(0));
    return answer;
  }

  /// The one that was added last.
  Answer pop_item() {
    if (items_.empty()) return Errc::not_found;
    auto& item = items_.last();
    const Value key = item.key;
    Value value = std::move(item.value);
    items_.erase(key);
    return Value(Value::List{key, std::move(value)});
  }

  Answer set_default(Request& request) {
    const Value& key = request.argument(0);
    if (const Value* const found = items_.find(key)) return *found;
    return Answer(items_[key] = request.take(1));
  }

  Answer update(const Value& items) {
    if (!items.is_map()) return Errc::invalid_argument;
    for (const auto& item : items.map()) items_.set(item.key, item.value);
    return done();
  }

  Answer add_to(Request& request) {
    const Value* const found = items_.find(request.argument(0));
    const Value zero = request.has(2) ? request.argument(2) : Value(0);
    Answer result = sum(found ? *found : zero, request.argument(1));
    if (result) items_.set(request.take(0), *result);
    return result;
  }

  Answer compare_and_set_item(Request& request) {
    Value* const found = items_.find(request.argument(0));
    if (found) return compare_and_set(*found, request.argument(1), request.take(2));
    if (!request.argument(1).is_null()) return Value(false);
    items_.set(request.take(0), request.take(2));
    return Value(true);
  }

  Answer list(std::string_view method) const {
    const bool keys = method == "keys", values = method == "values";
    if (!keys && !values && method != "items") return Errc::operation_not_supported;
    Value::List all;
    all.reserve(items_.size());
    for (const auto& item : items_)
      all.push_back(keys ? item.key : values ? item.value : Value(Value::List{item.key, item.value}));
    return Value(std::move(all));
  }

  const std::string_view kind_; // a constant
  Value::Map items_;
};

class ListObject final : public Object {
 public:
  ListObject(bool fixed, Value::List&& items) : fixed_(fixed), items_(std::move(items)) {}

  std::string_view kind() const override { return fixed_ ? "array" : "list"; }

  Answer call(Request& request) override {
    const std::string_view method = request.method;
    if (method == "size") return Value(items_.size());
    if (method == "copy") return Value(items_);
    if (method == "slice") return slice(request);
    if (method == "reverse") return std::ranges::reverse(items_), done();
    if (method == "sort") return std::ranges::stable_sort(items_), done();
    if (method == "count") return Value(std::ranges::count(items_, request.argument(0)));
    const auto found = [&] { return std::ranges::find(items_, request.argument(0)); };
    if (method == "contains") return Value(found() != items_.end());
    if (method == "index") return found() == items_.end() ? Answer(Errc::not_found) : Value(found() - items_.begin());
    if (method == "get" || method == "set" || method == "add" || method == "compare_and_set") return at(request);
    if (!fixed_) return change_size(request);
    return Errc::operation_not_supported;
  }

  void visit(void (*see)(void*, const Value&), void* argument) const override {
    for (const Value& item : items_) see(argument, item);
  }

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(items_.size()); }

  /// Where the index is that the argument means; not_found: outside.
  Result<std::int64_t> place(Request& request, std::size_t argument, std::optional<std::int64_t> fallback = {}) const {
    Result<std::int64_t> index = request.integer(argument, fallback);
    if (!index) return index;
    if (*index < 0) *index += size();
    if (*index < 0 || *index >= size()) return Errc::not_found;
    return index;
  }
  /// The same for slices, which end where the list does.
  Result<std::int64_t> limited_place(Request& request, std::size_t argument, std::int64_t fallback) const {
    Result<std::int64_t> index = request.integer(argument, fallback);
    if (index && *index < 0) *index += size();
    if (index) *index = std::clamp<std::int64_t>(*index, 0, size());
    return index;
  }

  Answer at(Request& request) {
    const auto index = place(request, 0);
    if (!index) return index.error();
    Value& item = items_[static_cast<std::size_t>(*index)];
    if (request.method == "get") return item;
    if (request.method == "set") return item = request.take(1), done();
    if (request.method == "add") return add(item, request.argument(1));
    return compare_and_set(item, request.argument(1), request.take(2));
  }

  Answer slice(Request& request) const {
    const auto begin = limited_place(request, 0, 0), end = limited_place(request, 1, size());
    if (!begin || !end) return Errc::invalid_argument;
    if (*begin >= *end) return Value(Value::List());
    return Value(Value::List(items_.begin() + *begin, items_.begin() + *end));
  }

  Answer change_size(Request& request) {
    const std::string_view method = request.method;
    if (method == "append") return items_.push_back(request.take(0)), done();
    if (method == "clear") return items_.clear(), done();
    if (method == "extend") {
      if (!request.argument(0).is_list()) return Errc::invalid_argument;
      for (Value& item : request.argument(0).list()) items_.push_back(std::move(item));
      return done();
    }
    if (method == "insert") {
      const auto index = limited_place(request, 0, 0);
      if (!index || !request.has(0)) return Errc::invalid_argument;
      items_.insert(items_.begin() + *index, request.take(1));
      return done();
    }
    if (method == "remove") {
      const auto found = std::ranges::find(items_, request.argument(0));
      if (found == items_.end()) return Errc::not_found;
      items_.erase(found);
      return done();
    }
    if (method != "pop" && method != "delete") return Errc::operation_not_supported;
    const auto index = place(request, 0, method == "pop" ? std::optional<std::int64_t>(-1) : std::nullopt);
    if (!index) return index.error();
    const auto item = items_.begin() + *index;
    Value value = std::move(*item);
    items_.erase(item);
    return method == "pop" ? std::move(value) : Value();
  }

  const bool fixed_;
  Value::List items_;
};

class ValueObject final : public Object {
 public:
  explicit ValueObject(Value&& value) : value_(std::move(value)) {}

  std::string_view kind() const override { return "value"; }

  Answer call(Request& request) override {
    if (request.method == "get") return value_;
    if (request.method == "set") return value_ = request.take(0), done();
    if (request.method == "add") return add(value_, request.argument(0));
    if (request.method == "compare_and_set") return compare_and_set(value_, request.argument(0), request.take(1));
    return Errc::operation_not_supported;
  }

  void visit(void (*see)(void*, const Value&), void* argument) const override { see(argument, value_); }

 private:
  Value value_;
};

constexpr std::int64_t most_in_array = 1 << 24;

} // namespace

std::unique_ptr<Object> make_container(std::string_view kind, Request& request) {
  Value start = request.take(0);
  if (kind == "value") return std::make_unique<ValueObject>(std::move(start));
  if (kind == "dict" || kind == "name_space") {
    if (start.is_null()) start = Value::Map();
    if (!start.is_map()) return nullptr;
    const std::string_view constant = kind == "dict" ? "dict" : "name_space";
    return std::make_unique<DictObject>(constant, std::move(start.map()));
  }
  if (kind != "list" && kind != "array") return nullptr;
  if (kind == "list" && start.is_null()) start = Value::List();
  if (kind == "array" && start.is_integer() && start.integer() >= 0 && start.integer() <= most_in_array)
    start = Value::List(static_cast<std::size_t>(start.integer()), Value(0));
  if (!start.is_list()) return nullptr;
  return std::make_unique<ListObject>(kind == "array", std::move(start.list()));
}

} // namespace rt::managing
