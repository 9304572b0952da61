#pragma once
// The classes of characters in HTTP messages (RFC 9110, section 5.6) and in URIs (RFC 3986, appendix A), and ASCII
// without regard to case.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rt::http {

enum Class : std::uint8_t {
  token = 1,       ///< methods, names of fields: tchar
  field_text = 2,  ///< values of fields: HTAB, SP, VCHAR, obs-text
  uri = 4,         ///< all that a URI may hold but '#', '[' and ']'; a '%' only before two hexadecimal digits
  host = 8,        ///< of a reg-name or an IPv4 address: unreserved, sub-delims, '%'
  address = 16,    ///< between the brackets of an IP-literal: hexadecimal digits, ':', '.'
  digit = 32,      ///< decimal
  hexadecimal = 64 ///< a digit of these
};

inline constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&](std::string_view characters, unsigned bits) {
    for (const char c : characters)
      table[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(table[static_cast<unsigned char>(c)] | bits);
  };
  for (unsigned c = 0x20; c < 256; ++c)
    if (c != 0x7f) table[c] = field_text;
  add("\t", field_text);
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", token | uri | host);
  add("0123456789", token | uri | host | address | digit | hexadecimal);
  add("abcdefABCDEF", address | hexadecimal);
  add("!#$%&'*+-.^_`|~", token);
  add("-._~!$&'()*+,;=%", uri | host);
  add(":@/?", uri);
  add(":.", address);
  return table;
}();

constexpr bool is(char character, unsigned wanted) { return classes[static_cast<unsigned char>(character)] & wanted; }

/// How many characters at the front are of the class.
constexpr std::size_t prefix_of(std::string_view text, unsigned wanted) {
  std::size_t size = 0;
  while (size < text.size() && is(text[size], wanted)) ++size;
  return size;
}

/// There are some, and all are of the class.
constexpr bool all_of(std::string_view text, unsigned wanted) {
  return !text.empty() && prefix_of(text, wanted) == text.size();
}

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

/// The value of a hexadecimal digit.
constexpr unsigned value_of_digit(char c) {
  return static_cast<unsigned>(is(c, digit) ? c - '0' : to_lower(c) - 'a' + 10);
}

/// Without spaces and tabs at the ends.
constexpr std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes the next element off a comma-separated list. Empty: there is none left.
constexpr std::string_view take_element(std::string_view& list) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    if (!element.empty()) return element;
  }
  return {};
}

} // namespace rt::http
