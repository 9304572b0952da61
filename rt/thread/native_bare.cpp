// Threads by clone(2).

#include <rt/thread/block.hpp>

#include <rt/base/single_threaded.hpp>
#include <rt/start/exit.hpp>
#include <rt/start/tls.hpp>

#include <arch/syscall.hpp>
#include <linux/sched.h>

extern "C" long rt_clone(unsigned long flags, void* stack, void* parent_tid, void* child_tid, void* thread_pointer,
                         void (*entry)(void*), void* argument);

namespace rt::threading {
namespace {

// The stack protector's canary is that of the process, and in place before the thread's first instruction.
[[noreturn]] void entry(void* argument) {
  auto& block = *static_cast<ThreadBlock*>(argument);
  thread_main(block);
  for (;;) arch::syscall(__NR_exit, 0);
}

} // namespace

std::size_t native_tls_size() { return start::tls_block_size(); }

long native_start(ThreadBlock& block) {
  constexpr unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                  CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  auto* control = start::make_tls_block(block.tls, arch::canary());
  if (single_threaded()) threads_were_started.store(1, std::memory_order_relaxed);
  return rt_clone(flags, block.stack_top, &block.tid, &block.tid, arch::thread_pointer_for_clone(control), entry,
                  &block);
}

// Here, and not in the child's first steps, so that only programs with threads have it.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_single_thread() {
  if (!single_threaded()) threads_were_started.store(0, std::memory_order_relaxed);
}
RT_IN_FORKED(20, rt_fork_single_thread);

void native_run_start_hooks() { start::run_thread_start_hooks(); }
void native_run_exit_hooks() { start::run_thread_exit_hooks(); }

void native_finish(ThreadBlock&) {}

} // namespace rt::threading
