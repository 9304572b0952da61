#pragma once
// Numbers as text without the formatter: for reports, which are in nearly every program and must stay small.

#include <rt/base/format.hpp>

namespace rt {

void put_decimal(Output& out, std::uint64_t value);
/// With "0x" in front, and zeros up to the given number of digits.
void put_hexadecimal(Output& out, std::uint64_t value, unsigned least_digits = 1);

} // namespace rt
