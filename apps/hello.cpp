// The smallest program: one line on standard output.

#include <rt/base/print.hpp>

int main() { rt::println("hello"); }
