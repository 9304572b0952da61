#pragma once
// Atomic: std::atomic, by a name that the model tests give another meaning. There every access is a point at which a
// scheduler of the test's own may let another task go on (tests/model).

#include <atomic>

namespace rt {

#ifdef RT_MODEL_ATOMIC
template <class T> using Atomic = RT_MODEL_ATOMIC<T>;
#else
template <class T> using Atomic = std::atomic<T>;
#endif

} // namespace rt
