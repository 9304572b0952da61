// Floating point. The only file that refers to the C library's conversions, which are several times as large as all
// other formatting.

#include <rt/base/format.hpp>

#include <stdio.h>
#include <stdlib.h>

namespace rt::formatting {

/// Most decimals that are written; the largest double has 309 digits before the point.
constexpr int most_decimals = 128;
using Digits = char[1 + 309 + 1 + most_decimals + 1];

static bool reads_back(const char* text, double magnitude, bool single) {
  return single ? static_cast<double>(strtof(text, nullptr)) == magnitude : strtod(text, nullptr) == magnitude;
}

/// The layout of Python's repr: the fewest digits that read back, one of them after the point, and an exponent below
/// 1e-4 and from 1e16 on.
///
/// 15 digits (6 of a float) survive the way to binary and back, so that a shorter text would show up as trailing zeros;
/// 17 (9) always identify the number. Subnormal numbers have fewer digits. (Of some powers of two one digit more is
/// written than is needed: the neighbour below is nearer than the one above, so that the best text is not the nearest.)
static int shortest(Digits& text, double magnitude, bool single) {
  bool subnormal = magnitude < (single ? __FLT_MIN__ : __DBL_MIN__);
  int last = single ? 9 : 17;
  int digits = subnormal ? 1 : last == 9 ? 6 : 15;
  for (;; ++digits) {
    snprintf(text, sizeof text, "%.*e", digits - 1, magnitude);
    if (digits == last || reads_back(text, magnitude, single)) break;
  }
  const char* mark = text + (digits == 1 ? 1 : digits + 1);
  int exponent = 0;
  for (const char* digit = mark + 2; *digit; ++digit) exponent = exponent * 10 + (*digit - '0');
  if (mark[1] == '-') exponent = -exponent;
  while (digits > 1 && *--mark == '0') --digits;

  if (exponent < -4 || exponent >= 16) return snprintf(text, sizeof text, "%.*e", digits - 1, magnitude);
  int decimals = digits - 1 - exponent;
  return snprintf(text, sizeof text, "%.*f", decimals > 1 ? decimals : 1, magnitude);
}

static void put_floating(Output& out, Spec& spec, double value, bool single) {
  bool negative = __builtin_signbit(value);
  double magnitude = __builtin_fabs(value);
  bool finite = magnitude <= __DBL_MAX__;
  Digits text;
  int size;
  if (finite && !spec.type && spec.precision < 0) {
    size = shortest(text, magnitude, single);
  } else {
    char pattern[8] = "%";
    char* end = pattern + 1;
    if (spec.alternate) *end++ = '#';
    *end++ = '.';
    *end++ = '*';
    *end++ = spec.type ? spec.type : 'g';
    *end = 0;
    size = snprintf(text, sizeof text, pattern, spec.precision < most_decimals ? spec.precision : most_decimals,
                    magnitude);
  }
  if (!finite) spec.zero = false;
  put_number(out, spec, negative && magnitude == magnitude, {}, {text, static_cast<std::size_t>(size)});
}

void format_double(Output& out, Spec& spec, std::uintptr_t value) {
  put_floating(out, spec, std::bit_cast<double>(value), false);
}

void format_float(Output& out, Spec& spec, std::uintptr_t value) {
  put_floating(out, spec, std::bit_cast<float>(static_cast<std::uint32_t>(value)), true);
}

} // namespace rt::formatting
