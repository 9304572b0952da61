#include <rt/process/native.hpp>

#include <rt/memory/stack_pool.hpp>
#include <rt/start/exit.hpp>

#include <cstdint>
#include <linux/sched.h>

extern "C" long rt_clone(unsigned long flags, void* stack, void* parent_tid, void* child_tid, void* thread_pointer,
                         void (*entry)(void*), void* argument);

namespace rt::processing {
namespace {

// As RT_AT_FORK and RT_IN_FORKED make it; the linker gathers them, and keeps them only because of these two names.
struct Entry {
  std::int16_t number;
  std::int16_t in_all_phases; // else in the child
  std::int32_t distance;      // from itself to the function

  bool concerns(ForkPhase phase) const { return in_all_phases || phase == ForkPhase::child; }
  void run(ForkPhase phase) const {
    const std::uintptr_t function = reinterpret_cast<std::uintptr_t>(&distance) + distance;
    if (in_all_phases)
      reinterpret_cast<void (*)(ForkPhase)>(function)(phase);
    else
      reinterpret_cast<void (*)()>(function)();
  }
};
extern "C" [[gnu::visibility("hidden")]] const Entry __start_rt_fork[], __stop_rt_fork[];

} // namespace

Result<kernel::DescribedProcess> native_fork(unsigned long flags) {
  return kernel::fork_quietly(flags, kernel::Described::no);
}

// The child writes into this frame, on a stack of its own.
Result<kernel::DescribedProcess> native_vfork(unsigned long flags, Errc (*become)(const void* argument),
                                              const void* argument, Errc& failure) {
  struct Call {
    Errc (*become)(const void* argument);
    const void* argument;
    Errc& failure;
  } call{become, argument, failure};
  constexpr std::size_t stack_size = 16 * 1024; // a path, a directory's entries, and a few frames
  const Result<memory::Stack*> stack = memory::take_stack(stack_size);
  if (!stack) return stack.error();
  kernel::DescribedProcess process;
  const long id = rt_clone(
      flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD, (*stack)->top, &process.descriptor, nullptr, nullptr,
      [](void* place) {
        const Call& self = *static_cast<Call*>(place);
        self.failure = self.become(self.argument);
        kernel::exit_process(127);
      },
      &call);
  memory::give_stack(*stack);
  if (id < 0) return Error::from_kernel(id);
  process.id = static_cast<kernel::ProcessId>(id);
  return process;
}

void run_fork_hooks(ForkPhase phase) {
  constexpr int last = 100;
  for (int number = -1, next; number != last; number = next) {
    next = last;
    for (const Entry* entry = __start_rt_fork; entry != __stop_rt_fork; ++entry) {
      if (!entry->concerns(phase)) continue;
      if (entry->number == number) entry->run(phase);
      if (entry->number > number && entry->number < next) next = entry->number;
    }
  }
}

void native_exit(int code) { exit(code); }

} // namespace rt::processing
