#include <rt/base/format.hpp>

namespace rt::formatting {

/// In the largest of s, ms, us, ns that leaves something before the point, with as many decimals as are needed.
void format_duration(Output& out, Spec& spec, std::uintptr_t value) {
  bool negative = static_cast<std::intptr_t>(value) < 0;
  std::uint64_t rest = negative ? -value : value;
  char unit = 0;
  int decimals = 9;
  if (rest < 1'000'000'000 && rest != 0) {
    unit = rest < 1'000 ? 'n' : rest < 1'000'000 ? 'u' : 'm';
    decimals = rest < 1'000 ? 0 : rest < 1'000'000 ? 3 : 6;
  }

  char text[24];
  char* const end = text + sizeof text;
  char* first = end;
  for (; decimals > 0; --decimals, rest /= 10)
    if (char digit = static_cast<char>('0' + rest % 10); first != end || digit != '0') *--first = digit;
  if (first != end) *--first = '.';
  do *--first = static_cast<char>('0' + rest % 10);
  while (rest /= 10);

  put_number(out, spec, negative, {}, {first, static_cast<std::size_t>(end - first)});
  if (unit) out.put(unit);
  out.put('s');
}

} // namespace rt::formatting
