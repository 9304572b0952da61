#pragma once
// SharedMemory: memory that several processes have at the same time.
//
// By default it has no name: children inherit it (MAP_SHARED | MAP_ANONYMOUS), at the same address, and it is gone with
// the last of them. A memory file (memfd_create(2)) can be given to any process besides, also to a program that is
// executed, by its descriptor: that maps it where it finds room. Nothing of either is left behind by processes that are
// killed.

#include <rt/base/result.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace rt {

class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), size_(other.size_),
        descriptor_(std::exchange(other.descriptor_, -1)) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  /// Only from this process.
  ~SharedMemory() { unmap(); }

  /// Zeros, at a page's beginning. not_enough_memory.
  [[nodiscard]] static Result<SharedMemory> make(std::size_t size);
  /// The same in a memory file, whose name is to be seen in /proc only. It cannot be made shorter or longer, so nobody
  /// who has the descriptor can take the memory away from the others. The descriptor is closed when a program is
  /// executed, unless it is handed on. too_many_files_open.
  [[nodiscard]] static Result<SharedMemory> make_file(std::string_view name, std::size_t size);
  /// What another process has made by make_file. The descriptor stays the caller's, and may be closed. Errors are those
  /// of mmap(2); invalid_argument also if the file is empty.
  [[nodiscard]] static Result<SharedMemory> open(int descriptor);

  char* begin() const { return begin_; }
  std::size_t size() const { return size_; }
  /// Of the memory file that this process has made; -1: there is none.
  int descriptor() const { return descriptor_; }
  /// Leaves the memory where it is, until the process ends.
  void forget() { begin_ = nullptr; }

 private:
  SharedMemory(char* begin, std::size_t size, int descriptor) : begin_(begin), size_(size), descriptor_(descriptor) {}
  static Result<SharedMemory> map(std::size_t size, int flags, int descriptor);
  void unmap();

  char* begin_ = nullptr;
  std::size_t size_ = 0;
  int descriptor_ = -1;
};

} // namespace rt
