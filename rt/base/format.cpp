#include <rt/base/format.hpp>

namespace rt {

void Output::put(std::string_view text) {
  for (char character : text) {
    ++size_;
    columns_ += !formatting::is_continuation(character);
    if (cursor_ == end_ && full_) full_(*this);
    if (cursor_ != end_) *cursor_++ = character;
  }
}

namespace formatting {

/// The arguments as Parser sees them in the program. The compiler has made sure that all is right.
struct Values {
  const Argument* list;

  void require_syntax(bool) {}
  void require_small(unsigned) {}
  void use(unsigned, bool) {}
  int integer(unsigned index) { return static_cast<int>(list[index].value); }
};

static void put_fill(Output& out, std::uint32_t fill, int count) {
  while (count-- > 0)
    for (std::uint32_t bytes = fill; bytes; bytes >>= 8) out.put(static_cast<char>(bytes));
}

static void put_argument(Output& out, Spec& spec, const Argument& argument) {
  int before = 0, after = 0;
  if (spec.width > 0) {
    Output measure;
    argument.format(measure, spec, argument.value);
    after = spec.width - static_cast<int>(measure.columns());
    if (spec.align == '>') before = after;
    if (spec.align == '^') before = after / 2;
    after -= before;
  }
  put_fill(out, spec.fill, before);
  argument.format(out, spec, argument.value);
  put_fill(out, spec.fill, after);
}

void format_arguments(Output& out, const char* format, const Argument* arguments) {
  Values values{arguments};
  Parser<Values> parser{format, values};
  for (;;) {
    const char* start = parser.at;
    while (*parser.at && *parser.at != '{' && *parser.at != '}') ++parser.at;
    out.put({start, static_cast<std::size_t>(parser.at - start)});
    char c = *parser.at;
    if (!c) return;
    ++parser.at;
    if (parser.accept(c)) {
      out.put(c);
    } else {
      Spec spec;
      unsigned index = parser.field(spec);
      put_argument(out, spec, arguments[index]);
    }
  }
}

} // namespace formatting
} // namespace rt
