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
  const char *at = text.data(), *const end = at + text.size();
  for (;;) {
    std::uint64_t word; // eight characters of ASCII at once
    while (end - at >= 8 && (__builtin_memcpy(&word, at, 8), (word & 0x8080808080808080) == 0)) at += 8;
    while (at != end && (*at & 0x80) == 0) ++at; // at most seven
    if (at == end) return true;
    const std::size_t size = size_of_utf8_character({at, static_cast<std::size_t>(end - at)});
    if (size == 0) return false;
    at += size;
  }
}

} // namespace rt
