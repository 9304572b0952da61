#pragma once
// Formatting: "{}" replacement fields, checked by the compiler; each type's writer is linked only when it is used.
//
//   '{' [index] [':' [[fill] align] [sign] ['#'] ['0'] [width] ['.' precision] [type]] '}'
//
//   align    < > ^             numbers, pointers and durations stand right, all else left; fill is any one character
//   sign     + - or space      numbers
//   #        0x, 0b, 0 before the digits; with a floating-point type as in printf
//   0        zeros between sign and digits, when no align is given
//   width    a number, or {} or {index} for an integer argument; counted in UTF-8 characters
//   precision  likewise: a text's greatest length in characters; a floating-point number's decimals, at most 128
//   type     integers d x X b B o c · bool s or as integers · char c or as integers · text s · pointers p ·
//            floating point e E f F g G (none: the shortest text that reads back as the same number, as Python's repr)
//
// {{ and }} stand for braces. The meaning is that of std::format where it is not said otherwise. Durations (1.5s,
// 250ms), Error and Errc take fill, align and width, and so does every type that has in its namespace
//
//   void format_value(rt::Output& out, const Type& value) { rt::format_to(out, "({}, {})", value.x, value.y); }
//
// which may be called several times for one field, to measure first and to write then.
//
// A call makes an array of {value or address, formatting function} on its stack; there is no other type information. No
// memory is allocated and nothing global is used, so all of this may be called in signal handlers.

#include <rt/base/error.hpp>
#include <rt/base/format_string.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace rt {

/// A bounded sink for text. What does not fit is counted but not kept. It neither allocates nor locks nor makes system
/// calls: safe in signal handlers.
class Output {
 public:
  /// Counts only.
  Output() = default;

  /// Writes into the buffer, without a terminating NUL. When it is full and more comes, `full` is called if given, and
  /// may make room by consuming text() and calling clear(); else the rest is dropped.
  explicit Output(std::span<char> buffer, void (*full)(Output&) = nullptr)
      : begin_(buffer.data()), cursor_(begin_), end_(begin_ + buffer.size()), full_(full) {}

  void put(std::string_view text);
  /// A literal: its size is known here even where the compiler optimises for size and would call strlen.
  template <std::size_t size> [[gnu::always_inline]] void put_literal(const char (&literal)[size]) {
    put(std::string_view(literal, size - 1));
  }
  void put(char character) { put(std::string_view(&character, 1)); }

  /// What is in the buffer.
  std::string_view text() const { return {begin_, static_cast<std::size_t>(cursor_ - begin_)}; }
  /// Empties the buffer; the counts go on.
  void clear() { cursor_ = begin_; }
  /// Bytes put so far, kept or not.
  std::size_t size() const { return size_; }
  /// UTF-8 characters put so far, kept or not.
  std::size_t columns() const { return columns_; }

 private:
  char* begin_ = nullptr;
  char* cursor_ = nullptr;
  char* end_ = nullptr;
  void (*full_)(Output&) = nullptr;
  std::size_t size_ = 0;
  std::size_t columns_ = 0;
};

/// The message, with the number when the code is unknown: "unknown error 1234".
void format_value(Output& out, Error error);
inline void format_value(Output& out, Errc code) { format_value(out, Error{code}); }

namespace formatting {

/// Writes one argument. Looks at the precision, the type, and of a number the sign, '#' and '0'; the padding is done by
/// the caller. Sets the alignment if there is none and the value is to stand right.
using Format = void(Output& out, Spec& spec, std::uintptr_t value);

[[gnu::visibility("hidden")]] Format format_signed, format_unsigned, format_bool, format_character, format_pointer,
    format_c_string, format_text, format_duration, format_double, format_float;

template <class T> void format_user(Output& out, Spec&, std::uintptr_t value) {
  format_value(out, *reinterpret_cast<const T*>(value));
}

/// Sign, prefix, zeros and digits.
void put_number(Output& out, Spec& spec, bool negative, std::string_view prefix, std::string_view digits);

template <class T, class... List>
concept OneOf = (std::same_as<T, List> || ...);
template <class T>
concept StandardString = requires {
  typename T::traits_type;
};
// Not what would only be converted to the parameter of some format_value, which is looked for in namespace rt in any
// case: a Value, for one, can be made of numbers and strings.
template <class T>
concept UserDefined = (std::is_class_v<T> || std::is_union_v<T> || std::is_enum_v<T>)&&!StandardString<T>;
template <class T>
concept UserFormatted = UserDefined<T> && requires(Output& out, const T& value) {
  format_value(out, value);
};
template <class T>
concept Integer = std::integral<T> && sizeof(T) <= 8 && !OneOf<T, bool, char, wchar_t, char8_t, char16_t, char32_t>;
template <class T>
concept CString =
    std::is_pointer_v<std::decay_t<T>> && OneOf < std::remove_cv_t<std::remove_pointer_t<std::decay_t<T>>>,
char > ;
template <class T>
concept Pointer = std::is_pointer_v<T> || std::is_null_pointer_v<T>;
template <class T>
concept Text = std::is_convertible_v<const T&, std::string_view> && !Pointer<T>;
template <class T>
concept Duration = requires(const T& value) {
  value.count();
  typename T::rep;
  T::period::num;
};

template <class T> consteval Kind kind_of() {
  if constexpr (UserFormatted<T>)
    return Kind::other;
  else if constexpr (std::same_as<T, bool>)
    return Kind::boolean;
  else if constexpr (std::same_as<T, char>)
    return Kind::character;
  else if constexpr (Integer<T>)
    return Kind::integer;
  else if constexpr (OneOf<T, float, double>)
    return Kind::floating;
  else if constexpr (CString<T> || Text<T>)
    return Kind::text;
  else if constexpr (Pointer<T>)
    return Kind::pointer;
  else {
    static_assert(Duration<T>, "to print this type, define `void format_value(rt::Output&, const Type&)` beside it");
    return Kind::other;
  }
}

/// A duration in nanoseconds; the nearest that 64 bits hold (292 years) when it is longer.
template <class Rep, class Period> constexpr std::int64_t nanoseconds(Rep count) {
  constexpr std::int64_t limit = INT64_MAX, second = 1'000'000'000;
  if constexpr (std::is_floating_point_v<Rep>) {
    Rep exact = count * (Rep(second) * Period::num / Period::den);
    if (exact >= Rep(limit)) return limit;
    if (exact <= Rep(-limit)) return -limit;
    return exact == exact ? static_cast<std::int64_t>(exact) : 0;
  } else if constexpr (second % Period::den == 0) {
    std::int64_t result = 0;
    if (!__builtin_mul_overflow(count, second / Period::den * Period::num, &result)) return result;
    return count < 0 ? -limit : limit;
  } else {
    static_assert(Period::num == 1 && Period::den % second == 0, "to print a duration in this unit, duration_cast it");
    return static_cast<std::int64_t>(count / (Period::den / second));
  }
}

/// How an argument is held while it is printed: where a text is has to be written down, all else stays where it is.
template <class T>
using Held = std::conditional_t<kind_of<T>() == Kind::text && !CString<T>, std::string_view, const T&>;

/// The address, as one that the compiler does not know. It would collect known addresses in initialised data, where
/// they need relocations, and copy them from there.
template <class T> [[gnu::always_inline]] inline T* hidden(T* address) {
  asm("" : "+r"(address));
  return address;
}

struct Argument {
  std::uintptr_t value; // of what fits, else the address
  Format* format;

  template <class T> [[gnu::always_inline]] static Argument at(const T* address, Format* format) {
    return {reinterpret_cast<std::uintptr_t>(hidden(address)), hidden(format)};
  }
  template <class T> [[gnu::always_inline]] static Argument of(const T& value) {
    if constexpr (UserFormatted<T>)
      return at(__builtin_addressof(value), format_user<T>);
    else if constexpr (std::same_as<T, bool>)
      return {value, hidden(format_bool)};
    else if constexpr (std::same_as<T, char>)
      return {static_cast<unsigned char>(value), hidden(format_character)};
    else if constexpr (Integer<T>)
      return {static_cast<std::uintptr_t>(value), hidden(std::is_signed_v<T> ? format_signed : format_unsigned)};
    else if constexpr (std::same_as<T, double>)
      return {std::bit_cast<std::uint64_t>(value), hidden(format_double)};
    else if constexpr (std::same_as<T, float>)
      return {std::bit_cast<std::uint32_t>(value), hidden(format_float)};
    else if constexpr (CString<T>)
      return at(static_cast<const volatile char*>(value), format_c_string);
    else if constexpr (Text<T>)
      return at(&value, format_text);
    else if constexpr (std::is_null_pointer_v<T>)
      return {0, hidden(format_pointer)};
    else if constexpr (Pointer<T>)
      return {reinterpret_cast<std::uintptr_t>(hidden(value)), hidden(format_pointer)};
    else
      return {static_cast<std::uintptr_t>(nanoseconds<typename T::rep, typename T::period>(value.count())),
              hidden(format_duration)};
  }
};
static_assert(sizeof(std::uintptr_t) == sizeof(std::int64_t));

/// Writes the text of a checked format string. Only argument-less strings may come without arguments.
void format_arguments(Output& out, const char* format, const Argument* arguments);

/// The arguments of one call, to be passed on within the expression that makes the list.
template <class... A> struct ArgumentList {
  [[gnu::always_inline]] ArgumentList(const Held<A>&... held)
      : list{Argument::of<std::remove_cvref_t<Held<A>>>(held)...} {}
  const Argument list[sizeof...(A)];
};

template <class... A> class FormatString {
 public:
  /// Compiles only if the text is a constant and a valid format string for these arguments.
  consteval FormatString(const char* text) : text_(text), plain_(true) {
    constexpr Kind kinds[] = {kind_of<A>()..., Kind::other};
    Checker<sizeof...(A)>{kinds}.check(text);
    for (; text[size_]; ++size_) plain_ = plain_ && text[size_] != '{' && text[size_] != '}';
  }

  constexpr const char* c_str() const { return text_; }
  constexpr std::string_view text() const { return {text_, size_}; }
  /// Holds nothing that has to be replaced.
  constexpr bool plain() const { return plain_; }

 private:
  const char* text_;
  std::size_t size_ = 0;
  bool plain_;
};

} // namespace formatting

template <class... A> using format_string = formatting::FormatString<std::type_identity_t<A>...>;

/// Appends the formatted text to `out`.
template <class... A>
[[gnu::always_inline]] inline void format_to(Output& out, format_string<A...> format, const A&... arguments) {
  if (format.plain())
    out.put(format.text());
  else if constexpr (sizeof...(A) == 0)
    formatting::format_arguments(out, format.c_str(), nullptr);
  else
    formatting::format_arguments(out, format.c_str(), formatting::ArgumentList<A...>(arguments...).list);
}

/// Writes the formatted text, as much of it as fits, into the buffer. No terminating NUL is written. Returns how many
/// bytes the whole text has, as snprintf does: more than the buffer's size when it did not fit.
template <class... A>
[[gnu::always_inline]] inline std::size_t format_to(std::span<char> buffer, format_string<A...> format,
                                                    const A&... arguments) {
  Output out(buffer);
  format_to<A...>(out, format, arguments...);
  return out.size();
}

} // namespace rt
