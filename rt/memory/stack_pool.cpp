#include <rt/memory/stack_pool.hpp>

#include <rt/base/futex_lock.hpp>
#include <rt/base/hook.hpp>
#include <rt/kernel/page.hpp>
#include <rt/memory/sanitizer.hpp>

#include <arch/cpu.hpp>
#include <arch/syscall.hpp>
#include <linux/mman.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace rt::memory {
namespace {

// Class c has a stride of least_stride << c bytes, one page at least, and one page more: of an odd number of pages,
// since the tops of stacks at a power of two would all fall into the same few sets of the cache of page translations.
// (Where pages have 64 KiB the two smallest classes are the same.)
constexpr std::size_t least_stride = 32 * 1024;
constexpr unsigned class_count = 16;
constexpr std::size_t first_slab = 1024 * 1024, largest_slab = 256 * 1024 * 1024;

constexpr std::size_t colours = 16; // a flow that only waits must not need a second page for its stack

// Of each class, at most so many free stacks keep their memory with a thread.
constexpr unsigned most_warm = 1024;

struct Slab {
  char* begin;
  std::size_t stride;
  std::size_t count;
  std::size_t handed_out; // under the class's lock
  Stack* stacks;
  Slab* next;
};

// What all threads share of a class.
struct Class {
  FutexLock lock; // for all but `slabs` as seen by find_stack
  Slab* slab = nullptr;
  Stack* free = nullptr;
  std::size_t next_size = first_slab;
};
constinit Class classes[class_count];
constinit std::atomic<Slab*> slabs = nullptr;
constinit std::atomic<bool> guards_by_mprotect = false;

struct Cache {
  Stack* free[class_count];
  unsigned count[class_count];
};
constinit thread_local Cache cache = {};

constexpr std::size_t least_guard = 16 * 1024; // functions with frames of several KiB hit it rather than step over it
std::size_t guard_bytes() { return std::max(least_guard, kernel::page_size()); }
std::size_t stride_of(unsigned size_class) {
  const std::size_t page = kernel::page_size();
  return std::max(least_stride << size_class, page) + page;
}

unsigned class_for(std::size_t size) {
  if (size == 0) return 1; // default_flow_stack_size beside the guard, whatever the size of a page
  const std::size_t wanted = size + guard_bytes() + colours * arch::cache_line;
  unsigned size_class = 0;
  while (size_class < class_count && stride_of(size_class) < wanted) ++size_class;
  return size_class;
}

long map(std::size_t size) {
  constexpr int map_private = 2, map_anonymous = 0x20, map_noreserve = 0x4000;
  return arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                       map_private | map_anonymous | map_noreserve, -1, 0);
}

// A slab with its descriptors in front; a whole huge page for each flow's first byte would be a waste.
Result<Slab*> make_slab(Class& shared, unsigned size_class) {
  const std::size_t stride = stride_of(size_class), page = kernel::page_size();
  const std::size_t count = std::max<std::size_t>(shared.next_size / stride, 1);
  const std::size_t head = (sizeof(Slab) + count * sizeof(Stack) + page - 1) / page * page;
  const long address = map(head + count * stride);
  if (address < 0) return Error::from_kernel(address);
  arch::syscall(__NR_madvise, address, static_cast<long>(head + count * stride), MADV_NOHUGEPAGE);
  shared.next_size = std::min(2 * shared.next_size, largest_slab);
  auto* slab = reinterpret_cast<Slab*>(address);
  slab->begin = reinterpret_cast<char*>(address) + head;
  slab->stride = stride;
  slab->count = count;
  slab->handed_out = 0;
  slab->stacks = reinterpret_cast<Stack*>(slab + 1);
  Slab* first = slabs.load(std::memory_order_relaxed);
  do slab->next = first;
  while (!slabs.compare_exchange_weak(first, slab, std::memory_order_release, std::memory_order_relaxed));
  return slab;
}

Result<Stack*> take_shared(unsigned size_class) {
  Class& shared = classes[size_class];
  const std::lock_guard guard(shared.lock);
  if (Stack* stack = shared.free) {
    shared.free = stack->next;
    return stack;
  }
  if (!shared.slab || shared.slab->handed_out == shared.slab->count) {
    const Result<Slab*> fresh = make_slab(shared, size_class);
    if (!fresh) return fresh.error();
    shared.slab = fresh.value();
  }
  Slab& slab = *shared.slab;
  const std::size_t index = slab.handed_out++;
  Stack& stack = slab.stacks[index];
  char* const begin = slab.begin + index * slab.stride;
  stack.begin = begin + guard_bytes();
  stack.top = begin + slab.stride - index % colours * arch::cache_line;
  stack.size_class = size_class;
  return &stack;
}

void give_shared(Stack* stack) {
  Class& shared = classes[stack->size_class];
  const std::lock_guard guard(shared.lock);
  stack->next = shared.free;
  shared.free = stack;
}

Errc install_guard(Stack& stack) {
  const auto size = static_cast<long>(guard_bytes());
  const long begin = reinterpret_cast<long>(stack.begin) - size;
  constexpr int guard_install = 102;
  if (!guards_by_mprotect.load(std::memory_order_relaxed)) {
    if (arch::syscall(__NR_madvise, begin, size, guard_install) == 0) return Errc::none;
    guards_by_mprotect.store(true, std::memory_order_relaxed);
  }
  const long result = arch::syscall(__NR_mprotect, begin, size, PROT_NONE);
  constexpr long no_memory = -12; // ENOMEM, which is what the limit of mappings looks like
  return result == no_memory ? Errc::too_many_mappings : Error::from_kernel(result).code;
}

} // namespace

Result<Stack*> take_stack(std::size_t size) {
  const unsigned size_class = class_for(size);
  if (size_class == class_count) return Errc::not_enough_memory;
  if (Stack* stack = cache.free[size_class]) {
    cache.free[size_class] = stack->next;
    --cache.count[size_class];
    return stack;
  }
  const Result<Stack*> taken = take_shared(size_class);
  if (!taken) return taken;
  Stack* stack = taken.value();
  if (!stack->guarded) {
    if (const Errc error = install_guard(*stack); error != Errc::none) {
      give_shared(stack);
      return error;
    }
    stack->guarded = true;
  }
  return stack;
}

bool fits(const Stack& stack, std::size_t size) { return stack.size_class == class_for(size); }

void give_stack(Stack* stack) {
  sanitizer::forget_stack(stack->begin, stack->size());
  if (cache.count[stack->size_class] >= most_warm) {
    // Up to the next guard: the last page is the one that every flow has used, whatever the stack's colour.
    const std::size_t page = kernel::page_size();
    arch::syscall(__NR_madvise, reinterpret_cast<long>(stack->begin),
                  static_cast<long>((stack->size() + page - 1) & -page), MADV_DONTNEED);
    return give_shared(stack);
  }
  stack->next = cache.free[stack->size_class];
  cache.free[stack->size_class] = stack;
  ++cache.count[stack->size_class];
}

const Stack* find_stack(std::uintptr_t address) {
  for (const Slab* slab = slabs.load(std::memory_order_acquire); slab; slab = slab->next) {
    const auto begin = reinterpret_cast<std::uintptr_t>(slab->begin);
    if (address < begin || address >= begin + slab->count * slab->stride) continue;
    const Stack& stack = slab->stacks[(address - begin) / slab->stride];
    return stack.guarded ? &stack : nullptr;
  }
  return nullptr;
}

void release_thread_stacks() {
  for (Stack*& first : cache.free)
    while (Stack* stack = first) {
      first = stack->next;
      give_shared(stack);
    }
  for (unsigned& count : cache.count) count = 0;
}

void use_mprotect_guards() { guards_by_mprotect.store(true, std::memory_order_relaxed); }

// Stacks that others had given back, or that nobody had used yet, are left out of the child: their lists may be half
// changed. The calling thread's own are whole.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_stacks() {
  for (Class& shared : classes) {
    shared.lock.reset();
    if (shared.slab) shared.slab = nullptr;
    if (shared.free) shared.free = nullptr;
  }
}
RT_IN_FORKED(20, rt_fork_stacks);

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_release_thread_stacks() { release_thread_stacks(); }
RT_AT_THREAD_EXIT(80, rt_release_thread_stacks);

} // namespace rt::memory
