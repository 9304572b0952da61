// Inline functions of the C++ library call abort(3) where they would throw, as value() of an empty std::optional does.

#include <rt/base/panic.hpp>

extern "C" [[noreturn]] void abort() {
  rt::panic("the program called abort(); the C++ library does so for value() of an empty std::optional and its like");
}
