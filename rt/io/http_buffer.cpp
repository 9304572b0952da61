#include <rt/io/http_buffer.hpp>

#include <rt/memory/heap.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace rt::http {

Buffer::~Buffer() { heap::deallocate(data_); }

Result<void> Buffer::reserve(std::size_t size) {
  if (capacity_ - end_ >= size) return {};
  if (begin_ != kept_) {
    std::memmove(data_ + kept_, data_ + begin_, end_ - begin_);
    end_ -= begin_ - kept_;
    begin_ = kept_;
  }
  if (capacity_ - end_ >= size || kept_ != 0) return {};
  const std::size_t larger = std::max(std::bit_ceil(end_ + size), std::size_t{4096});
  char* const data = static_cast<char*>(heap::allocate(larger));
  if (!data) return Errc::not_enough_memory;
  if (end_ != 0) std::memcpy(data, data_, end_);
  heap::deallocate(data_);
  data_ = data;
  capacity_ = larger;
  return {};
}

void Buffer::append(std::string_view text) {
  std::copy(text.begin(), text.end(), data_ + end_);
  end_ += text.size();
}

} // namespace rt::http
