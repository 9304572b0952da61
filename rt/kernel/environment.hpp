#pragma once
// The environment that the program was started with.

namespace rt::kernel {

/// The value of a variable; nullptr: there is no such variable.
const char* environment_variable(const char* name);

} // namespace rt::kernel
