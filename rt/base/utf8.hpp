#pragma once
// UTF-8 (RFC 3629).

#include <cstddef>
#include <string_view>

namespace rt {

/// How many bytes the character at the beginning of the text has; 0: it is not one. Overlong forms, surrogates and
/// numbers above U+10FFFF are none.
std::size_t size_of_utf8_character(std::string_view text);

bool is_utf8(std::string_view text);

} // namespace rt
