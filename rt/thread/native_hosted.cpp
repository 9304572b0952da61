// Threads of a hosted program are glibc's, so that its thread-local storage and the sanitizers know them.

#include <rt/thread/block.hpp>

#include <rt/memory/heap.hpp>
#include <rt/memory/stack_pool.hpp>

#include <arch/syscall.hpp>
#include <pthread.h>

extern "C" {
void rt_finish_hub();
void rt_wake_joining_fibers();
}

namespace rt::threading {
namespace {

void* entry(void* argument) {
  auto& block = *static_cast<ThreadBlock*>(argument);
  block.native_id = static_cast<std::uint32_t>(arch::syscall(__NR_gettid));
  block.tid.store(block.native_id, std::memory_order_release);
  kernel::futex_wake(block.tid, 1, kernel::Sharing::between_processes);
  thread_main(block);
  block.tid.store(0, std::memory_order_release); // what the kernel does for a bare thread
  kernel::futex_wake(block.tid, 0x7fffffff, kernel::Sharing::between_processes);
  return nullptr;
}

} // namespace

std::size_t native_tls_size() { return 0; }

long native_start(ThreadBlock& block) {
  constexpr std::uint32_t starting = 0x7fffffff;
  block.tid.store(starting, std::memory_order_relaxed);
  if (const int code = pthread_create(&block.native, nullptr, entry, &block)) {
    block.tid.store(0, std::memory_order_relaxed);
    return -code;
  }
  while (block.tid.load(std::memory_order_acquire) == starting)
    kernel::futex_wait(block.tid, starting, Deadline{}, kernel::Sharing::between_processes);
  return static_cast<long>(block.native_id);
}

void native_run_start_hooks() {}
void native_run_exit_hooks() {
  rt_finish_hub();
  if (Task& task = current_task(); task.end_greenlets) task.end_greenlets(task);
  memory::release_thread_stacks();
  heap::release_thread_cache();
  rt_wake_joining_fibers();
}

void native_finish(ThreadBlock& block) { pthread_join(block.native, nullptr); }

} // namespace rt::threading
