#pragma once
// What a system call has returned, as a Result.

#include <rt/base/result.hpp>

namespace rt::kernel {

/// A negative number is the error; any other the value.
template <class T> Result<T> returned(long result) {
  if (result < 0) return Error::from_kernel(result);
  return static_cast<T>(result);
}

} // namespace rt::kernel
