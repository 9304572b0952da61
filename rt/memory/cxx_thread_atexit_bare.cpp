// Destructors of thread_local objects, run by each thread at its end in the reverse order of their registration.

#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/memory/heap.hpp>

namespace rt::memory {
namespace {

struct ThreadLocal {
  void (*destroy)(void*);
  void* object;
  ThreadLocal* previous;
};

thread_local constinit ThreadLocal* newest = nullptr;

} // namespace

extern "C" {

int __cxa_thread_atexit(void (*destroy)(void*), void* object, void*) {
  auto* entry = static_cast<ThreadLocal*>(heap::allocate(sizeof(ThreadLocal)));
  if (!entry) panic("out of memory: the destructor of a thread_local object could not be registered");
  *entry = {destroy, object, newest};
  newest = entry;
  return 0;
}

[[gnu::used, gnu::visibility("hidden")]] void rt_destroy_thread_locals() {
  while (ThreadLocal* entry = newest) {
    newest = entry->previous;
    entry->destroy(entry->object);
    heap::deallocate(entry);
  }
}

// As for statics (cxx_atexit_bare.cpp).
[[gnu::used, gnu::visibility("hidden")]] void rt_fork_thread_locals() { newest = nullptr; }
RT_IN_FORKED(20, rt_fork_thread_locals);

} // extern "C"

RT_AT_THREAD_EXIT(10, rt_destroy_thread_locals);
RT_AT_EXIT(50, rt_destroy_thread_locals); // of the thread that ends the process

} // namespace rt::memory
