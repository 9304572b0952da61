// Destructors of objects with static storage (Itanium C++ ABI, 3.3.6.3), in the reverse order of their registration.

#include <rt/base/futex_lock.hpp>
#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/memory/heap.hpp>

#include <new>

namespace rt::memory {
namespace {

struct Registration {
  void (*destroy)(void*);
  void* object;
};

// The first ones without the heap: most programs have a few.
struct Chunk {
  static constexpr unsigned capacity = 32;
  Registration entries[capacity] = {};
  unsigned size = 0;
  Chunk* previous = nullptr;
};

constinit FutexLock lock;
constinit Chunk first;
constinit Chunk* last = nullptr; // nullptr: &first, which would be a pointer in initialised data

} // namespace

extern "C" {

[[gnu::visibility("hidden")]] void* __dso_handle = nullptr;

int __cxa_atexit(void (*destroy)(void*), void* object, void*) {
  lock.lock();
  if (!last) last = &first;
  if (last->size == Chunk::capacity) {
    auto* chunk = static_cast<Chunk*>(heap::allocate(sizeof(Chunk)));
    if (!chunk) panic("out of memory: a destructor could not be registered");
    last = ::new (chunk) Chunk{{}, 0, last};
  }
  last->entries[last->size++] = {destroy, object};
  lock.unlock();
  return 0;
}

// Destructors may register others; so the lock is not held while one runs.
[[gnu::used, gnu::visibility("hidden")]] void rt_destroy_statics() {
  for (;;) {
    lock.lock();
    if (!last) last = &first;
    if (last->size == 0 && last->previous) last = last->previous;
    const bool done = last->size == 0;
    const Registration entry = done ? Registration{} : last->entries[--last->size];
    lock.unlock();
    if (done) return;
    entry.destroy(entry.object);
  }
}

// The parent's objects are the parent's to destroy: the child does so only with what it registers itself.
[[gnu::used, gnu::visibility("hidden")]] void rt_fork_statics() {
  lock.reset();
  if (first.size != 0) first.size = 0;
  if (last) last = &first;
}
RT_IN_FORKED(20, rt_fork_statics);

} // extern "C"

RT_AT_EXIT(90, rt_destroy_statics);

} // namespace rt::memory
