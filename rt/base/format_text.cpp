#include <rt/base/format.hpp>

namespace rt::formatting {

static void put_text(Output& out, const Spec& spec, std::string_view text) {
  std::size_t size = 0;
  for (int characters = spec.precision; size < text.size(); ++size)
    if (!is_continuation(text[size]) && characters-- == 0) break;
  out.put({text.data(), size});
}

void format_text(Output& out, Spec& spec, std::uintptr_t value) {
  put_text(out, spec, *reinterpret_cast<const std::string_view*>(value));
}

void format_c_string(Output& out, Spec& spec, std::uintptr_t value) {
  put_text(out, spec, value ? reinterpret_cast<const char*>(value) : "(null)");
}

} // namespace rt::formatting
