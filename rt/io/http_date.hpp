#pragma once
// Dates in HTTP (RFC 9110, section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".

#include <cstdint>
#include <optional>
#include <string_view>

namespace rt::http {

inline constexpr std::size_t date_size = 29;

/// Writes the moment, in seconds since 1970 in UTC, of the years 0 to 9999.
void write_date(char (&to)[date_size], std::int64_t seconds);

/// Reads the form above and both obsolete ones, of RFC 850 and asctime(3). Nothing: it is no date.
std::optional<std::int64_t> read_date(std::string_view text);

} // namespace rt::http
