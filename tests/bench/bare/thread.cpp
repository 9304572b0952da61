// Threads started and joined one after the other, by rt::Thread or by nothing but clone(2): `thread rt|clone COUNT`
// prints the nanoseconds of one. tests/bench/thread.cpp runs it in turns with others.

#include <rt/base/panic.hpp>
#include <rt/base/print.hpp>
#include <rt/kernel/futex.hpp>
#include <rt/memory/stack.hpp>
#include <rt/start/tls.hpp>
#include <rt/thread/thread.hpp>

#include <arch/syscall.hpp>
#include <linux/sched.h>

extern "C" long rt_clone(unsigned long flags, void* stack, void* parent_tid, void* child_tid, void* thread_pointer,
                         void (*entry)(void*), void* argument);

namespace {

// The least that a thread with thread-local storage costs: the stack is mapped once and has a guard, the TLS block lies
// on it and is filled anew for each thread, the thread does nothing, and the kernel tells of its end.
void clone_and_join(const rt::memory::StackMapping& stack) {
  static constinit rt::Atomic<std::uint32_t> tid = 0;
  constexpr unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                  CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  char* const tls = stack.end() - (rt::start::tls_block_size() + 15) / 16 * 16;
  auto* control = rt::start::make_tls_block(tls, rt::arch::canary());
  const long id = rt_clone(
      flags, tls, &tid, &tid, rt::arch::thread_pointer_for_clone(control),
      [](void*) {
        for (;;) rt::arch::syscall(__NR_exit, 0);
      },
      nullptr);
  if (id < 0) rt::panic("clone: {}", rt::Error::from_kernel(id).message());
  for (std::uint32_t now; (now = tid.load(std::memory_order_acquire)) != 0;)
    rt::kernel::futex_wait(tid, now, rt::Deadline{}, rt::kernel::Sharing::between_processes);
}

void start_and_join() {
  rt::Thread thread([] {});
  thread.start().value();
  thread.join();
}

} // namespace

int main(int argc, char** argv) {
  const bool bare = argc > 1 && std::string_view(argv[1]) == "clone";
  unsigned count = 0;
  for (const char* digit = argc > 2 ? argv[2] : ""; *digit; ++digit)
    count = count * 10 + static_cast<unsigned>(*digit - '0');
  const rt::memory::StackMapping stack = rt::memory::map_stack(rt::memory::default_stack_size, 0).value();
  const auto begin = rt::Clock::now();
  for (unsigned i = 0; i < count; ++i) bare ? clone_and_join(stack) : start_and_join();
  rt::println("{}", (rt::Clock::now() - begin).count() / (count ? count : 1));
}
