// What the C++ library calls where it would throw: misuse of a container, or no memory.

#include <rt/base/panic.hpp>

#include <string_view>

namespace std {

#define RT_THROW(function, kind)                                                                                       \
  void function(const char* what) { rt::panic(kind ": {}", what); }
RT_THROW(__throw_length_error, "length error")
RT_THROW(__throw_logic_error, "logic error")
RT_THROW(__throw_out_of_range, "out of range")
RT_THROW(__throw_invalid_argument, "invalid argument")
#undef RT_THROW

void __throw_out_of_range_fmt(const char* what, ...) { rt::panic("out of range: {}", what); }
void __throw_bad_alloc() { rt::panic("out of memory"); }
void __throw_bad_array_new_length() { rt::panic("out of memory: an array is larger than memory can be"); }
void __throw_bad_function_call() { rt::panic("an empty std::function was called"); }
void __throw_bad_optional_access() { rt::panic("value() of an empty std::optional"); }
void __throw_bad_variant_access(const char* what) { rt::panic("bad access to a std::variant: {}", what); }
void __throw_system_error(int code) {
  rt::panic("{}: misuse of a std::unique_lock?", rt::Error{static_cast<rt::Errc>(code)});
}

} // namespace std
