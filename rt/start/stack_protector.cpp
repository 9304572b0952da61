#include <rt/base/panic.hpp>

extern "C" [[noreturn]] void __stack_chk_fail() {
  rt::panic("stack smashed: a function wrote beyond one of its arrays and overwrote the canary above it");
}
