#include <rt/base/utf8.hpp>

#include <cstdint>

namespace rt {

std::size_t size_of_utf8_character(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  // The range of the second byte depends on the first; all others are 80 to bf.
  const unsigned least = first == 0xe0   ? 0xa0
                         : first == 0xf0 ? 0x90
                                         : 0x80,
                 most = first == 0xed   ? 0x9f
                        : first == 0xf4 ? 0x8f
                                        : 0xbf;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t at = 2; at < size; ++at)
    if ((byte(at) & 0xc0) != 0x80) return 0;
  return size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::uint64_t word; // eight characters of ASCII at once
    while (text.size() >= 8 && (__builtin_memcpy(&word, text.data(), 8), (word & 0x8080808080808080) == 0))
      text.remove_prefix(8);
    if (text.empty()) break;
    const std::size_t size = size_of_utf8_character(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

} // namespace rt
