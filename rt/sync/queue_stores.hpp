#pragma once
// The containers of LockedQueue: in what order items come out. They differ in nothing else.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace rt::queue {

/// First in, first out: a ring that doubles when it is full.
template <class T> class FifoStore {
 public:
  FifoStore() = default;
  ~FifoStore() {
    while (size() != 0) pop();
    if (cells_) std::allocator<T>().deallocate(cells_, capacity_);
  }
  FifoStore(const FifoStore&) = delete;
  FifoStore& operator=(const FifoStore&) = delete;

  std::size_t size() const { return tail_ - head_; }

  void push(T&& item) {
    if (size() == capacity_) grow();
    std::construct_at(at(tail_), std::move(item));
    ++tail_;
  }

  T pop() {
    T* first = at(head_++);
    T item(std::move(*first));
    std::destroy_at(first);
    return item;
  }

 private:
  static constexpr std::size_t first_capacity = 16;

  // head_ and tail_ count items and are reduced here, so that they are equal only when there is none.
  T* at(std::size_t position) const { return cells_ + (position & (capacity_ - 1)); }

  void grow() {
    FifoStore larger;
    larger.capacity_ = capacity_ ? 2 * capacity_ : first_capacity;
    larger.cells_ = std::allocator<T>().allocate(larger.capacity_);
    while (size() != 0) larger.push(pop());
    std::swap(capacity_, larger.capacity_);
    std::swap(cells_, larger.cells_);
    std::swap(head_, larger.head_);
    std::swap(tail_, larger.tail_);
  }

  std::size_t capacity_ = 0; // a power of two
  std::size_t head_ = 0, tail_ = 0;
  T* cells_ = nullptr;
};

/// Last in, first out.
template <class T> class LifoStore {
 public:
  std::size_t size() const { return items_.size(); }
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item(std::move(items_.back()));
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};

/// The least first; of equal ones any.
template <class T, class Compare> class HeapStore {
 public:
  explicit HeapStore(Compare less) : less_(std::move(less)) {}

  std::size_t size() const { return items_.size(); }
  void push(T&& item) {
    items_.push_back(std::move(item));
    std::push_heap(items_.begin(), items_.end(), greater());
  }
  T pop() {
    std::pop_heap(items_.begin(), items_.end(), greater());
    T item(std::move(items_.back()));
    items_.pop_back();
    return item;
  }

 private:
  // The library's heaps have the greatest in front.
  auto greater() {
    return [this](const T& a, const T& b) { return less_(b, a); };
  }

  std::vector<T> items_;
  [[no_unique_address]] Compare less_;
};

} // namespace rt::queue
