#pragma once
// Value::Map: keys and their values in the order in which the keys were added (Python's dict).
//
//   items_   [ key, value ][ key, value ][ hole ][ key, value ]     in order; erase leaves a hole
//   table_   [ hash, place of an item + 1 ] ...                     open addressing with linear probing; 0: free
//
// A few keys are looked for one after the other, and there is no table. Hashes are keyed with a random number of the
// process, so that nobody can send keys that collide.

#include <rt/process/value.hpp>

namespace rt {

class Value::Map {
 public:
  struct Item {
    Value key;
    Value value;
  };

  Map() = default;
  /// Of a key that comes twice the last value counts.
  Map(std::initializer_list<Item> items) {
    for (const Item& item : items) set(item.key, item.value);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// nullptr: there is no such key.
  Value* find(const Value& key) {
    const std::size_t place = place_of(key);
    return place == nowhere ? nullptr : &items_[place].value;
  }
  const Value* find(const Value& key) const { return const_cast<Map*>(this)->find(key); }
  bool contains(const Value& key) const { return find(key) != nullptr; }

  /// The value of the key; null, if it is new.
  Value& operator[](Value key);

  /// True: the key is new.
  bool set(Value key, Value value);

  /// False: there is no such key.
  bool erase(const Value& key);

  void clear() { *this = Map(); }

  /// The items in the order of their keys, for as long as the map stays as it is.
  std::vector<const Item*> sorted() const;

  /// Over the items in the order in which they were added; only values may be changed.
  template <class I> class Iterator {
   public:
    using value_type = Item;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(I* at, I* end) : at_(at), end_(end) { skip_holes(); }
    I& operator*() const { return *at_; }
    I* operator->() const { return at_; }
    Iterator& operator++() {
      ++at_;
      skip_holes();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    void skip_holes() {
      while (at_ != end_ && is_hole(*at_)) ++at_;
    }
    I* at_ = nullptr;
    I* end_ = nullptr;
  };
  auto begin() { return Iterator<Item>(items_.data(), items_.data() + items_.size()); }
  auto end() { return Iterator<Item>(items_.data() + items_.size(), items_.data() + items_.size()); }
  auto begin() const { return Iterator<const Item>(items_.data(), items_.data() + items_.size()); }
  auto end() const { return Iterator<const Item>(items_.data() + items_.size(), items_.data() + items_.size()); }

  /// The item that was added last; the map must not be empty.
  Item& last() {
    std::size_t place = items_.size() - 1;
    while (is_hole(items_[place])) --place;
    return items_[place];
  }

 private:
  struct Slot {
    std::uint32_t hash;
    std::uint32_t item; // its place + 1; 0: none
  };

  static constexpr std::size_t nowhere = ~std::size_t(0), most_without_table = 8;
  static constexpr auto hole = static_cast<Kind>(0xff);

  static bool is_hole(const Item& item) { return item.value.kind_ == hole; }
  static void make_hole(Item& item);

  std::size_t place_of(const Value& key) const;
  std::size_t slot_of(const Value& key, std::uint32_t hash) const;
  Value& add(Value&& key);
  void insert_slot(std::uint32_t hash, std::size_t place);
  void erase_slot(std::size_t slot);
  void make_table(std::size_t slots);
  void close_holes();

  std::vector<Item> items_;
  std::vector<Slot> table_; // empty, or a power of two
  std::size_t size_ = 0;
};

inline Value::Value(Map map) : kind_(Kind::map) { map_ = new Map(std::move(map)); }

} // namespace rt
