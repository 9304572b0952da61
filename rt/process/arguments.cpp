#include <rt/process/arguments.hpp>

#include <rt/memory/heap.hpp>

#include <cstring>

namespace rt::processing {

Arguments::~Arguments() {
  if (block_) heap::deallocate(block_);
}

void Arguments::make_room() {
  block_ = static_cast<const char**>(heap::allocate((texts_ + 1) * sizeof *block_ + bytes_));
  if (!block_) return;
  next_ = block_;
  end_ = reinterpret_cast<char*>(block_ + texts_ + 1);
  copy(path_);
  block_[texts_] = nullptr;
}

void Arguments::add(std::string_view text) {
  if (block_) *next_++ = copy(text);
}

const char* Arguments::copy(std::string_view text) {
  char* const begin = end_;
  std::memcpy(begin, text.data(), text.size());
  begin[text.size()] = '\0';
  end_ += text.size() + 1;
  return begin;
}

} // namespace rt::processing
