#pragma once
// process_identity: a number that no other process has, in whichever PID namespace it is.
//
// Process ids do not tell processes apart that share memory: each PID namespace has a process 1. So each process draws
// 64 random bits when it first asks. They lie on a page that the kernel clears in the child of a fork(2) or clone(2)
// (MADV_WIPEONFORK), so the child draws its own, and nobody has to tell the runtime that there was a fork.

#include <rt/base/atomic.hpp>

#include <cstdint>

namespace rt::kernel {

/// Where the identity is kept; nullptr: nobody has asked in this process or its ancestors.
inline constinit Atomic<Atomic<std::uint64_t>*> identity_page = nullptr;

/// The slow path. Panics when there is no memory for a page.
std::uint64_t make_process_identity();

/// The same in all threads of a process, never 0. Costs two loads after the first call.
inline std::uint64_t process_identity() {
  const Atomic<std::uint64_t>* const page = identity_page.load(std::memory_order_acquire);
  const std::uint64_t identity = page ? page->load(std::memory_order_relaxed) : 0;
  return identity != 0 ? identity : make_process_identity();
}

} // namespace rt::kernel
