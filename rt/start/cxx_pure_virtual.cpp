#include <rt/base/panic.hpp>

extern "C" [[noreturn]] void __cxa_pure_virtual() {
  rt::panic("a pure virtual function was called: the object is under construction or being destroyed");
}
