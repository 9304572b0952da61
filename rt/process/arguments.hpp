#pragma once
// Arguments: a path and texts, copied and laid out as execve(2) wants them, in one block of the heap.
//
//   block   [address of each text | nullptr][path, NUL][text, NUL][text, NUL] ...

#include <cstddef>
#include <string_view>

namespace rt::processing {

class Arguments {
 public:
  explicit Arguments(std::string_view path) : path_(path), bytes_(path.size() + 1) {}
  Arguments(const Arguments&) = delete;
  ~Arguments();

  // First all texts are counted, then there is room, then they are added.
  void count(std::string_view text) {
    ++texts_;
    bytes_ += text.size() + 1;
  }
  void make_room();
  void add(std::string_view text);

  /// nullptr: there was no memory.
  const char* path() const { return block_ ? reinterpret_cast<const char*>(block_ + texts_ + 1) : nullptr; }
  const char* const* argv() const { return block_; }

 private:
  const char* copy(std::string_view text);

  std::string_view path_;
  std::size_t texts_ = 0, bytes_;
  const char** block_ = nullptr;
  const char** next_ = nullptr;
  char* end_ = nullptr;
};

} // namespace rt::processing
