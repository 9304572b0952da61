// Inline functions of the C++ library call abort(3) where they would throw, as value() of an empty std::optional does.

#include <rt/base/panic.hpp>

// By another name, as headers may have declared abort() with attributes of their own.
extern "C" [[noreturn]] void rt_abort() asm("abort");

void rt_abort() {
  rt::panic("the program called abort(); the C++ library does so for value() of an empty std::optional and its like");
}
