#include <rt/base/sha256.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace rt {

/// The first 32 bits of the fractions of the cube roots of the first 64 primes.
static constexpr std::uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static std::uint32_t read_word(const char* bytes) {
  std::uint32_t word = 0;
  for (int i = 0; i < 4; ++i) word = word << 8 | static_cast<unsigned char>(bytes[i]);
  return word;
}

void Sha256::add_block(const char* block) {
  std::uint32_t words[64];
  for (int i = 0; i < 16; ++i) words[i] = read_word(block + 4 * i);
  for (int i = 16; i < 64; ++i) {
    const std::uint32_t x = words[i - 15], y = words[i - 2];
    words[i] = words[i - 16] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3) + words[i - 7] +
               (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10);
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (int i = 0; i < 64; ++i) {
    const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25), choice = (e & f) ^ (~e & g),
                        sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22),
                        majority = (a & b) ^ (a & c) ^ (b & c),
                        first = h + sum1 + choice + round_constants[i] + words[i];
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + sum0 + majority;
  }
  const std::uint32_t all[] = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += all[i];
}

void Sha256::add(std::string_view bytes) {
  std::size_t kept = size_ % block_size;
  size_ += bytes.size();
  while (kept + bytes.size() >= block_size) {
    const std::size_t part = block_size - kept;
    std::memcpy(rest_ + kept, bytes.data(), part);
    add_block(rest_);
    bytes.remove_prefix(part);
    kept = 0;
  }
  std::copy(bytes.begin(), bytes.end(), rest_ + kept);
}

Sha256::Digest Sha256::finish() {
  const std::uint64_t bits = size_ * 8;
  const std::size_t kept = size_ % block_size;
  char padding[2 * block_size] = {'\x80'};
  const std::size_t size = (kept < 56 ? 56 : 120) - kept;
  for (std::size_t i = 0; i < 8; ++i) padding[size + i] = static_cast<char>(bits >> 8 * (7 - i));
  add({padding, size + 8});
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<char>(state_[i / 4] >> 8 * (3 - i % 4));
  return digest;
}

HmacSha256::HmacSha256(std::string_view key) {
  char block[Sha256::block_size] = {};
  if (key.size() > sizeof block) {
    Sha256 hash;
    hash.add(key);
    std::ranges::copy(hash.finish(), block);
  } else {
    std::ranges::copy(key, block);
  }
  for (char& byte : block) byte ^= 0x36;
  inner_.add({block, sizeof block});
  for (char& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_.add({block, sizeof block});
}

Sha256::Digest HmacSha256::finish() {
  const Sha256::Digest digest = inner_.finish();
  outer_.add({digest.data(), digest.size()});
  return outer_.finish();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

} // namespace rt
