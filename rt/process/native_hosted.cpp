// A hosted program is glibc's: its own fork(3) sees to glibc's locks and to the sanitizers, and its exit(3) would do
// what the parent has registered.

#include <rt/process/native.hpp>

#include <linux/sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

extern "C" {
void rt_finish_hub();
void rt_join_threads();
void rt_end_processes();
}

namespace rt::processing {

// The child is an ordinary one. What fork(3) cannot give, new namespaces, is left to clone(2), after which the child
// may do what needs none of glibc's locks that another thread held.
Result<kernel::DescribedProcess> native_fork(unsigned long flags) {
  if (flags != 0) return kernel::fork_quietly(flags, kernel::Described::yes);
  const pid_t id = fork();
  if (id < 0) return Error{static_cast<Errc>(errno)};
  if (id == 0) return kernel::DescribedProcess{};
  const auto descriptor = kernel::open_process(id);
  if (descriptor) return kernel::DescribedProcess{id, *descriptor};
  (void)kernel::send_signal(id, kernel::Signal::sigkill);
  (void)kernel::wait_for_child(id);
  return descriptor.error();
}

// The memory is copied: the sanitizers would take what the child does for the caller's own. Only one word is shared.
Result<kernel::DescribedProcess> native_vfork(unsigned long flags, Errc (*become)(const void* argument),
                                              const void* argument, Errc& failure) {
  void* const place = mmap(nullptr, sizeof failure, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return Error{static_cast<Errc>(errno)};
  auto* const shared = ::new (place) Errc(Errc::none);
  const auto process = kernel::fork_quietly(flags | CLONE_VFORK, kernel::Described::yes);
  if (process && process->id == 0) {
    *shared = become(argument);
    _exit(127);
  }
  failure = *shared;
  munmap(place, sizeof failure);
  return process;
}

void run_fork_hooks(ForkPhase phase) {
  for (const ForkHook* hook = ForkHook::first; hook; hook = hook->next) {
    if (hook->in_all_phases)
      hook->in_all_phases(phase);
    else if (phase == ForkPhase::child)
      hook->in_child();
  }
}

void native_exit(int code) {
  rt_finish_hub();
  rt_join_threads();
  rt_end_processes();
  _exit(code);
}

} // namespace rt::processing
