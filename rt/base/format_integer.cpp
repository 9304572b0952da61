// Integers, and what is printed like them: bool, char, pointers.

#include <rt/base/format.hpp>

namespace rt::formatting {

void put_number(Output& out, Spec& spec, bool negative, std::string_view prefix, std::string_view digits) {
  if (!spec.align) spec.align = '>';
  char sign = negative ? '-' : spec.sign == '-' ? 0 : spec.sign;
  std::size_t start = out.columns();
  if (sign) out.put(sign);
  out.put(prefix);
  if (spec.zero)
    for (int zeros = spec.width - static_cast<int>(out.columns() - start + digits.size()); zeros > 0; --zeros)
      out.put('0');
  out.put(digits);
}

static void put_integer(Output& out, Spec& spec, bool negative, std::uint64_t magnitude) {
  if (spec.type == 'c') return out.put(static_cast<char>(negative ? -magnitude : magnitude));
  char lower = static_cast<char>(spec.type | 0x20);
  unsigned base = lower == 'x' ? 16 : lower == 'b' ? 2 : lower == 'o' ? 8 : 10;
  char prefix[] = {'0', spec.type};
  std::size_t prefix_size = !spec.alternate || base == 10 ? 0 : base != 8 ? 2 : magnitude != 0;
  char letter = static_cast<char>(spec.type - 'x' + 'a' - 10);
  char digits[64];
  char* first = digits + sizeof digits;
  do {
    unsigned digit = static_cast<unsigned>(magnitude % base);
    *--first = static_cast<char>(digit + static_cast<unsigned>(digit < 10 ? '0' : letter));
  } while (magnitude /= base);
  put_number(out, spec, negative, {prefix, prefix_size},
             {first, static_cast<std::size_t>(digits + sizeof digits - first)});
}

void format_unsigned(Output& out, Spec& spec, std::uintptr_t value) { put_integer(out, spec, false, value); }

void format_signed(Output& out, Spec& spec, std::uintptr_t value) {
  bool negative = static_cast<std::intptr_t>(value) < 0;
  put_integer(out, spec, negative, negative ? -value : value);
}

void format_character(Output& out, Spec& spec, std::uintptr_t value) {
  if (!spec.type) spec.type = 'c';
  put_integer(out, spec, false, value);
}

void format_bool(Output& out, Spec& spec, std::uintptr_t value) {
  if (spec.type && spec.type != 's') return put_integer(out, spec, false, value);
  out.put(value ? std::string_view("true") : std::string_view("false"));
}

void format_pointer(Output& out, Spec& spec, std::uintptr_t value) {
  spec.type = 'x';
  spec.alternate = true;
  put_integer(out, spec, false, value);
}

} // namespace rt::formatting
