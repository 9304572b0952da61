#include <rt/base/result.hpp>

#include <rt/base/panic.hpp>

namespace rt {

void panic_on_missing_value(Error error) { panic("value() of a Result that holds an error: {}", error); }

} // namespace rt
