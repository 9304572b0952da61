#pragma once
// Buffer: what has been received and not been read yet.
//
//   [ kept ][ read ][ text ][ room ]
//
// A head that has been parsed is kept in its place, as views of it are in use, while the body that follows it goes
// through the rest.

#include <rt/base/result.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace rt::http {

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer();

  std::string_view text() const { return {data_ + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  /// The text begins that much later.
  void take(std::size_t size) { begin_ += size; }
  /// Takes the first bytes of the text, and has them stay where they are.
  void keep(std::size_t size) { kept_ = begin_ += size; }
  /// Nothing has to stay.
  void release() { kept_ = 0; }

  /// Makes room for that much behind the text, moving what does not have to stay. If something has, it does not grow:
  /// there may be less. not_enough_memory.
  Result<void> reserve(std::size_t size);
  std::span<char> room() { return {data_ + end_, capacity_ - end_}; }
  /// That much of the room has been filled.
  void filled(std::size_t size) { end_ += size; }

  /// Appends; reserve() has made the room.
  void append(std::string_view text);

  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(kept_, other.kept_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }

 private:
  char* data_ = nullptr;
  std::size_t capacity_ = 0, kept_ = 0, begin_ = 0, end_ = 0;
};

} // namespace rt::http
