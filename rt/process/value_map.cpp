#include <rt/process/value_map.hpp>

#include <algorithm>

namespace rt {

/// The end of a Value does nothing to a hole in its place: kinds of numbers and holes own nothing.
void Value::Map::make_hole(Item& item) {
  item.key = nullptr;
  item.value = nullptr;
  item.value.kind_ = hole;
}

static std::uint32_t short_hash(const Value& key) { return static_cast<std::uint32_t>(key.hash() >> 32); }

std::size_t Value::Map::place_of(const Value& key) const {
  if (table_.empty()) {
    for (std::size_t place = 0; place < items_.size(); ++place)
      if (!is_hole(items_[place]) && items_[place].key == key) return place;
    return nowhere;
  }
  const Slot& slot = table_[slot_of(key, short_hash(key))];
  return slot.item == 0 ? nowhere : slot.item - 1;
}

/// The slot that has the key, or the free one where the search for it ends.
std::size_t Value::Map::slot_of(const Value& key, std::uint32_t hash) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = hash & mask;
  while (table_[slot].item != 0 && (table_[slot].hash != hash || items_[table_[slot].item - 1].key != key))
    slot = (slot + 1) & mask;
  return slot;
}

void Value::Map::insert_slot(std::uint32_t hash, std::size_t place) {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = hash & mask;
  while (table_[slot].item != 0) slot = (slot + 1) & mask;
  table_[slot] = {hash, static_cast<std::uint32_t>(place + 1)};
}

/// Frees a slot, and moves those behind it that would no longer be found.
void Value::Map::erase_slot(std::size_t slot) {
  const std::size_t mask = table_.size() - 1;
  std::size_t free = slot;
  for (std::size_t next = (free + 1) & mask; table_[next].item != 0; next = (next + 1) & mask) {
    const std::size_t wanted = table_[next].hash & mask;
    // It stays if its search begins after the free slot.
    if (((next - wanted) & mask) < ((next - free) & mask)) continue;
    table_[free] = table_[next];
    free = next;
  }
  table_[free] = {};
}

void Value::Map::make_table(std::size_t slots) {
  table_.assign(slots, Slot{});
  for (std::size_t place = 0; place < items_.size(); ++place)
    if (!is_hole(items_[place])) insert_slot(short_hash(items_[place].key), place);
}

void Value::Map::close_holes() {
  std::erase_if(items_, is_hole);
  if (!table_.empty()) make_table(table_.size());
}

Value& Value::Map::add(Value&& key) {
  items_.push_back({std::move(key), {}});
  ++size_;
  // At most half of the slots are taken.
  if (table_.empty() ? items_.size() > most_without_table : 2 * size_ > table_.size())
    make_table(table_.empty() ? 4 * most_without_table : 2 * table_.size());
  else if (!table_.empty())
    insert_slot(short_hash(items_.back().key), items_.size() - 1);
  return items_.back().value;
}

Value& Value::Map::operator[](Value key) {
  Value* const value = find(key);
  return value ? *value : add(std::move(key));
}

bool Value::Map::set(Value key, Value value) {
  const std::size_t before = size_;
  (*this)[std::move(key)] = std::move(value);
  return size_ != before;
}

bool Value::Map::erase(const Value& key) {
  std::size_t place;
  if (table_.empty()) {
    place = place_of(key);
    if (place == nowhere) return false;
  } else {
    const std::size_t slot = slot_of(key, short_hash(key));
    if (table_[slot].item == 0) return false;
    place = table_[slot].item - 1;
    erase_slot(slot);
  }
  make_hole(items_[place]);
  --size_;
  while (!items_.empty() && is_hole(items_.back())) items_.pop_back();
  if (items_.size() > 2 * size_ + most_without_table) close_holes();
  return true;
}

std::vector<const Value::Map::Item*> Value::Map::sorted() const {
  std::vector<const Item*> items;
  items.reserve(size_);
  for (const Item& item : *this) items.push_back(&item);
  std::ranges::sort(items, [](const Item* a, const Item* b) { return a->key < b->key; });
  return items;
}

} // namespace rt
