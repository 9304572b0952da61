#pragma once
// Stacks for flows that are no threads: generators, greenlets, fibers. There may be a million of them.
//
//   slab      [guard][stack <- grows down][guard][stack <- grows down] ...      one mapping, reserved and not used yet
//              16 KiB or a page            16 KiB or a page
//              |- stride: 2^n KiB, a page -|
//
// A stack costs the memory that was written to, so what counts is one page and its entry in the page table. Guards are
// marked in the page table (MADV_GUARD_INSTALL, Linux 6.13), which leaves the slab one mapping. Older kernels need
// mprotect(2), which makes two mappings of each stack, of which a process may have 65530; when they are used up, taking
// a stack fails: no stack is ever without a guard.
//
// The descriptors lie in an array of their own, so that looking through many of them touches few cache lines, and the
// tops of the stacks are shifted against each other by some cache lines ("coloured"): at equal distances they would all
// fall into the same few sets of the cache.
//
// Each thread keeps the stacks that were given back to it and takes the latest first, which is the one most likely in
// the cache. What a thread has beyond its limit goes to all threads, its memory to the kernel; the guard stays.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>

namespace rt::memory {

struct Stack {
  char* begin; ///< lowest usable address, right above the guard
  char* top;   ///< a multiple of 64
  Stack* next; ///< in a pool
  std::uint32_t size_class;
  bool guarded;

  std::size_t size() const { return static_cast<std::size_t>(top - begin); }
};

/// What a flow gets at least that asks for no size: 68 KiB of addresses with the guard, where pages have 4 KiB.
inline constexpr std::size_t default_flow_stack_size = 48 * 1024;

/// A stack of at least `size` usable bytes; 0: default_flow_stack_size. not_enough_memory; too_many_mappings.
Result<Stack*> take_stack(std::size_t size = 0);

/// Whether take_stack(size) could return this one.
bool fits(const Stack& stack, std::size_t size);

/// Gives a stack back that nobody runs on.
void give_stack(Stack* stack);

/// The stack in whose memory or guard the address is; nullptr: none. May be called in signal handlers.
const Stack* find_stack(std::uintptr_t address);

/// The last act of a thread with its stacks: all go to the other threads.
void release_thread_stacks();

/// For tests: guards by mprotect(2), as if the kernel were an older one, for stacks that are new from now on.
void use_mprotect_guards();

} // namespace rt::memory
