#pragma once
// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104): to prove that one knows a key without telling it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rt {

class Sha256 {
 public:
  using Digest = std::array<char, 32>;
  static constexpr std::size_t block_size = 64;

  /// Adds to the message.
  void add(std::string_view bytes);
  /// Of all that was added; the object is of no use afterwards.
  Digest finish();

 private:
  void add_block(const char* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint64_t size_ = 0;
  char rest_[block_size]; // of the message, that does not fill a block yet
};

class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  void add(std::string_view bytes) { inner_.add(bytes); }
  Sha256::Digest finish();

 private:
  Sha256 inner_, outer_;
};

/// Whether both are the same, in a time that depends on their sizes only: how much is right of a forged one must not
/// show.
bool equal_in_constant_time(std::string_view a, std::string_view b);

} // namespace rt
