#pragma once
// What a format string says (see format.hpp for its grammar), and the check of it by the compiler.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rt::formatting {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

struct Spec {
  std::uint32_t fill = ' '; // the bytes of a UTF-8 character, the first one lowest
  int width = 0;
  int precision = -1;
  char align = 0;
  char sign = 0; // '+' and ' ' stand before numbers that are not negative
  char type = 0;
  bool alternate = false;
  bool zero = false;
};

/// Reads replacement fields, the same way when the compiler checks a format string and when it is used. Arguments tells
/// what the arguments are: their values then, their kinds and what is wrong with the string before.
template <class Arguments> struct Parser {
  const char* at;
  Arguments& arguments;
  unsigned next = 0;

  constexpr void expect(char character) {
    arguments.require_syntax(*at == character);
    ++at;
  }
  constexpr unsigned number() {
    unsigned value = 0;
    while (is_digit(*at)) {
      value = value * 10 + static_cast<unsigned>(*at++ - '0');
      arguments.require_small(value);
    }
    return value;
  }
  constexpr unsigned index() {
    bool given = is_digit(*at);
    unsigned result = given ? number() : next++;
    arguments.use(result, given);
    return result;
  }
  constexpr int count() {
    if (*at != '{') return static_cast<int>(number());
    ++at;
    int value = arguments.integer(index());
    expect('}');
    return value;
  }
  constexpr bool accept(char character) {
    if (*at != character) return false;
    ++at;
    return true;
  }
  constexpr void fill_and_align(Spec& spec) {
    constexpr auto is_align = [](char c) { return c == '<' || c == '>' || c == '^'; };
    const char* after = at + 1;
    while (is_continuation(*after)) ++after;
    if (is_align(*after)) {
      spec.fill = 0;
      for (const char* byte = after; byte != at;) spec.fill = spec.fill << 8 | static_cast<unsigned char>(*--byte);
      at = after;
    }
    if (is_align(*at)) spec.align = *at++;
  }

  /// Reads what follows '{' up to and with '}'. Returns the argument's index.
  constexpr unsigned field(Spec& spec) {
    unsigned result = index();
    if (accept(':')) {
      if (*at != '}' && *at != '{' && *at != 0) fill_and_align(spec);
      if (*at == '+' || *at == ' ' || *at == '-') spec.sign = *at++;
      spec.alternate = accept('#');
      spec.zero = accept('0') && !spec.align;
      spec.width = count();
      if (accept('.')) {
        arguments.require_syntax(is_digit(*at) || *at == '{');
        spec.precision = count();
      }
      arguments.require_syntax(*at != 0);
      if (*at != '}') spec.type = *at++;
    }
    expect('}');
    return result;
  }
};

enum class Kind : unsigned char { integer, boolean, character, text, pointer, floating, other };

// Never defined. When the check of a format string calls one, the compiler's message names it.
void format_string_error_unmatched_brace_or_bad_replacement_field();
void format_string_error_more_fields_than_arguments();
void format_string_error_argument_not_used();
void format_string_error_mixes_automatic_and_given_indices();
void format_string_error_number_too_large();
void format_string_error_width_or_precision_argument_is_not_an_integer();
void format_string_error_type_is_not_valid_for_this_argument();
void format_string_error_sign_alternate_form_or_zero_needs_a_number();
void format_string_error_precision_is_not_valid_for_this_argument();

constexpr bool contains(std::string_view set, char c) { return set.find(c) != set.npos; }

/// The arguments as Parser sees them in the compiler.
template <std::size_t count> struct Checker {
  const Kind* kinds;
  bool used[count + 1] = {};
  bool index_given = false;
  bool index_left_out = false;

  constexpr void require_syntax(bool condition) {
    if (!condition) format_string_error_unmatched_brace_or_bad_replacement_field();
  }
  constexpr void require_small(unsigned value) {
    if (value > 99'999) format_string_error_number_too_large();
  }
  constexpr void use(unsigned index, bool given) {
    (given ? index_given : index_left_out) = true;
    if (index_given && index_left_out) format_string_error_mixes_automatic_and_given_indices();
    if (index >= count) format_string_error_more_fields_than_arguments();
    used[index] = true;
  }
  constexpr int integer(unsigned index) {
    if (kinds[index] != Kind::integer) format_string_error_width_or_precision_argument_is_not_an_integer();
    return 0;
  }

  static constexpr std::string_view types(Kind kind) {
    switch (kind) {
    case Kind::integer: return "dxXbBoc";
    case Kind::boolean: return "sdxXbBo";
    case Kind::character: return "cdxXbBo";
    case Kind::text: return "s";
    case Kind::pointer: return "p";
    case Kind::floating: return "eEfFgG";
    case Kind::other: return "";
    }
    return "";
  }
  static constexpr void check(const Spec& spec, Kind kind) {
    if (spec.type && !contains(types(kind), spec.type)) format_string_error_type_is_not_valid_for_this_argument();
    bool number = kind == Kind::floating || (spec.type ? contains("dxXbBo", spec.type) : kind == Kind::integer);
    if (!number && (spec.sign || spec.alternate || spec.zero))
      format_string_error_sign_alternate_form_or_zero_needs_a_number();
    if (spec.precision >= 0 && kind != Kind::text && kind != Kind::floating)
      format_string_error_precision_is_not_valid_for_this_argument();
  }
  constexpr void check(const char* text) {
    Parser<Checker> parser{text, *this};
    while (char c = *parser.at) {
      ++parser.at;
      if ((c == '{' || c == '}') && !parser.accept(c)) {
        require_syntax(c == '{');
        Spec spec;
        unsigned index = parser.field(spec);
        check(spec, kinds[index]);
      }
    }
    for (std::size_t i = 0; i < count; ++i)
      if (!used[i]) format_string_error_argument_not_used();
  }
};

} // namespace rt::formatting
