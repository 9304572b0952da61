#pragma once
// Fd: a descriptor that is closed with its owner.

#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>

#include <utility>

namespace rt {

class Fd {
 public:
  constexpr Fd() = default;
  /// Owns the descriptor from now on.
  constexpr explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  bool is_open() const { return number_ >= 0; }
  explicit operator bool() const { return is_open(); }
  /// -1: none.
  int number() const { return number_; }
  /// Gives the descriptor away.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  /// Linux has closed it even where close(2) reports an error.
  void close() {
    if (is_open()) (void)kernel::close_file(release());
  }

 private:
  int number_ = -1;
};

} // namespace rt
