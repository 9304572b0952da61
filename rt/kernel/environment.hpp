#pragma once
// The environment of this process: texts "NAME=value", as execve(2) hands them on.

namespace rt::kernel {

/// Ends with nullptr.
const char* const* environment();

/// The value of a variable; nullptr: there is no such variable.
const char* environment_variable(const char* name);

/// Replaces it for the programs that are executed from now on. The array and its texts have to stay.
void set_environment(const char* const* environment);

} // namespace rt::kernel
