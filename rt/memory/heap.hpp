#pragma once
// The heap: memory for operator new and for the runtime itself, from mmap(2).
//
//   size            comes from                                                     alloc + free
//   up to 32 KiB    a slab of 64 KiB with blocks of one size, owned by a thread    no atomic instruction, no lock
//   up to 2 MiB     a run of 64 KiB units of a 4 MiB chunk                         a lock
//   beyond          a mapping of its own                                           mmap(2), munmap(2)
//
// Slabs and units that become empty go back to a pool that all threads share. What it has beyond 4 MiB and a quarter of
// what is in use goes back to the kernel, as large blocks always do. How the parts work is told in slab.hpp (where
// things lie), pool.hpp (units and chunks), thread_heap.hpp (threads and slabs), large.cpp, and check.hpp (what a DEBUG
// build verifies).
//
// Any thread may free any block. Nothing here may be called in a signal handler.

#include <rt/base/result.hpp>

#include <cstddef>

namespace rt::heap {

/// What operator new guarantees without being asked (__STDCPP_DEFAULT_NEW_ALIGNMENT__).
inline constexpr std::size_t default_alignment = 16;

/// A block of at least `size` bytes (0 counts as 1) whose address is a multiple of `alignment`, a power of two. Its
/// contents are indeterminate. nullptr when the kernel has no more memory or the size is beyond what it could ever
/// have.
[[nodiscard]] void* allocate(std::size_t size, std::size_t alignment = default_alignment);

/// The same, with Errc::not_enough_memory in place of nullptr.
[[nodiscard]] inline Result<void*> try_allocate(std::size_t size, std::size_t alignment = default_alignment) {
  if (void* block = allocate(size, alignment)) return block;
  return Errc::not_enough_memory;
}

/// Frees a block; nullptr is allowed. Panics where it notices that the address is no live block's: always in a DEBUG
/// build, in the simple cases (the same block twice in a row, memory that is no heap's) in any.
void deallocate(void* block);

/// Bytes that the block really has: at least as many as were asked for.
[[nodiscard]] std::size_t usable_size(const void* block);

struct Statistics {
  std::size_t mapped; ///< bytes of address space held from the kernel; most of it may have no memory behind it
  std::size_t in_use; ///< bytes in live blocks (their usable size), and in those that another thread than their slab's
                      ///< owner has freed and that the owner has not yet seen
  std::size_t warm;   ///< bytes of units that nobody uses and whose memory is kept for the next allocation
};

/// A consistent count of chunks and large blocks; blocks that other threads allocate or free meanwhile may be missed.
Statistics statistics();

/// The last act of a thread: gives its slabs to the others. The thread may still free, and even allocate (at the price
/// of a whole unit) afterwards. Without this call the free parts of the thread's slabs are lost.
void release_thread_cache();

/// Held across a clone(2) of the process, so that the child gets a consistent heap; parent and child both unlock. What
/// was free in slabs that the parent's other threads owned, or was just being given back to the kernel, is lost to the
/// child; all else works as in the parent.
void lock_all();
void unlock_all();

} // namespace rt::heap
