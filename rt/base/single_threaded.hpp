#pragma once
// Whether the process has had one thread only, so far. Then nobody else can hold a lock of the runtime's, and what a
// process's start would do because of others is left out (rt/process/start.cpp): each page that the child writes to has
// to be copied. The variable needs no order: the thread that reads 0 is the only one, so nobody else can write it.

#include <rt/base/atomic.hpp>
#include <rt/base/hook.hpp>

#include <cstdint>

namespace rt {

#if RT_HOSTED
/// Others may have started threads.
constexpr bool single_threaded() { return false; }
#else
/// 0 until the first thread is started, and in a child again.
RT_FORK_DATA(60) inline constinit Atomic<std::uint32_t> threads_were_started = 0;

inline bool single_threaded() { return threads_were_started.load(std::memory_order_relaxed) == 0; }
#endif

} // namespace rt
