#include <rt/base/digits.hpp>

namespace rt {
namespace {

void put_digits(Output& out, std::uint64_t value, unsigned base, unsigned least_digits) {
  char digits[20]; // of 2^64 - 1 in base 10
  char* const end = digits + sizeof digits;
  char* first = end;
  while (value != 0 || end - first < static_cast<int>(least_digits)) {
    const auto digit = static_cast<char>(value % base);
    *--first = static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
    value /= base;
  }
  out.put({first, static_cast<std::size_t>(end - first)});
}

} // namespace

void put_decimal(Output& out, std::uint64_t value) { put_digits(out, value, 10, 1); }

void put_hexadecimal(Output& out, std::uint64_t value, unsigned least_digits) {
  out.put_literal("0x");
  put_digits(out, value, 16, least_digits);
}

} // namespace rt
