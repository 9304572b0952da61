#include <rt/sync/wait.hpp>

#include <rt/base/futex_lock.hpp>
#include <rt/base/hook.hpp>

#include <mutex>

namespace rt {
namespace {

struct alignas(arch::cache_line) Bucket {
  FutexLock lock;
  WaiterList waiters;
};

constexpr unsigned bucket_bits = 7;
RT_LARGE_DATA constinit Bucket table[1 << bucket_bits];

// Whether any bucket was ever used.
RT_FORK_DATA(50) constinit Atomic<std::uint32_t> table_is_used = 0;

Bucket& bucket_of(const Word& word) {
  // Before the bucket's lock is taken: a copy of this process that has a bucket in use knows it.
  if (table_is_used.load(std::memory_order_relaxed) == 0) table_is_used.exchange(1, std::memory_order_seq_cst);
  // Fibonacci hashing: the high bits of the product depend on all bits of the address.
  const auto address = reinterpret_cast<std::uintptr_t>(&word);
  return table[(address * 0x9e3779b97f4a7c15u) >> (64 - bucket_bits)];
}

} // namespace

Waited PrivateScope::wait_on(const Word& word, std::uint32_t expected, Deadline deadline, LongWait* long_wait) {
  Bucket& bucket = bucket_of(word);
  Waiter waiter;
  waiter.key = &word;
  {
    const std::lock_guard guard(bucket.lock);
    if (word.load(std::memory_order_acquire) != expected) return Waited::changed;
    bucket.waiters.push_back(waiter);
  }
  const Parked parked = waiter.park(deadline, long_wait, &word);
  if (parked == Parked::unparked) return Waited::woken;
  {
    const std::lock_guard guard(bucket.lock);
    if (waiter.listed) {
      bucket.waiters.remove(waiter);
      return parked == Parked::canceled ? Waited::canceled : Waited::timed_out;
    }
  }
  waiter.await_unpark();
  return Waited::woken;
}

unsigned PrivateScope::wake(const Word& word, unsigned count) {
  Bucket& bucket = bucket_of(word);
  WaiterList found;
  unsigned woken = 0;
  {
    const std::lock_guard guard(bucket.lock);
    for (Waiter *waiter = bucket.waiters.front(), *next; waiter && woken < count; waiter = next) {
      next = waiter->next;
      if (waiter->key != &word) continue;
      bucket.waiters.remove(*waiter);
      found.push_back(*waiter);
      waiter->listed = false;
      ++woken;
    }
  }
  for (Waiter *waiter = found.front(), *next; waiter; waiter = next) {
    next = waiter->next; // before unpark: the waiter may be gone after it
    waiter->unpark();
  }
  return woken;
}

// Nobody waits in the child. A page that is looked at costs the child a page fault, and one that is written to a copy.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_wait_table() {
  if (table_is_used.load(std::memory_order_relaxed) == 0) return;
  for (Bucket& bucket : table) {
    bucket.lock.reset();
    if (!bucket.waiters.empty()) bucket.waiters = WaiterList();
  }
}
RT_IN_FORKED(20, rt_fork_wait_table);

bool with_waiters_of(const Word& word, void (*look)(const Word& word, void* argument), void* argument) {
  Bucket& bucket = bucket_of(word);
  const std::lock_guard guard(bucket.lock);
  for (const Waiter* waiter = bucket.waiters.front(); waiter; waiter = waiter->next)
    if (waiter->key == &word) {
      look(word, argument);
      return true;
    }
  return false;
}

} // namespace rt
