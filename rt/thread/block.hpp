#pragma once
// ThreadBlock: one thread's memory. It lies at the top of the thread's stack mapping (see rt/memory/stack.hpp):
//
//   [signal stack][guard][stack ...........][callable][TLS block][ThreadBlock]
//                                          ^ stack_top
//
// A block is made with its Thread, used by one thread at a time, and goes back to a cache when that thread has ended.
// The kernel clears `tid` as the thread's last act and wakes who waits for it (CLONE_CHILD_CLEARTID): from then on
// nobody runs on the stack.

#include <rt/kernel/futex.hpp>
#include <rt/memory/stack.hpp>
#include <rt/thread/thread.hpp>

namespace rt::threading {

struct ThreadBlock {
  memory::StackMapping mapping;
  char* tls = nullptr;
  char* stack_top = nullptr;
  void* callable = nullptr;
  void (*run)(void*) = nullptr;
  void (*destroy)(void*) = nullptr;
  ThreadBlock* next = nullptr; // in the cache, or among the detached
  Atomic<std::uint32_t> tid = 0;
  bool daemon = false;
  bool named = false; // by its maker
  TaskName name = {};
#if RT_HOSTED
  unsigned long native = 0;    // pthread_t
  std::uint32_t native_id = 0; // what `tid` was before the thread's end
#endif
};

/// Bytes for thread-local variables in a block.
std::size_t native_tls_size();
/// Starts a thread that calls thread_main(block) with block.tid set. Returns its id, or a negative errno.
long native_start(ThreadBlock& block);
/// What linked features of the runtime do when a thread starts.
void native_run_start_hooks();
/// Destroys the calling thread's thread-local objects, and what else ends with a thread.
void native_run_exit_hooks();
/// After block.tid has become 0.
void native_finish(ThreadBlock& block);

/// What every new thread does.
void thread_main(ThreadBlock& block);

/// A block with room for the callable; nullptr if there is no memory.
ThreadBlock* make_block(const ThreadOptions& options, const Callable& callable);

/// Gives the block to the next Thread that wants one of its size, or its memory to the kernel.
void release_block(ThreadBlock* block);
/// The same for a block whose thread still runs: as soon as it has ended.
void release_block_later(ThreadBlock* block);

} // namespace rt::threading
