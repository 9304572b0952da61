// Guards of function-local statics that are initialised at their first use (Itanium C++ ABI, 3.3.3). The compiler looks
// at the guard's first byte itself; the word in the second half is ours.
//
//   0 new   1 being initialised   2 the same, and somebody waits   3 done

#include <rt/kernel/futex.hpp>

#include <cstdint>

namespace rt::start {
namespace {

using kernel::Sharing;

constexpr std::uint32_t fresh = 0, running = 1, awaited = 2, done = 3;

struct Guard {
  std::atomic<std::uint8_t> initialised;
  std::uint8_t unused[3];
  std::atomic<std::uint32_t> state;
};
static_assert(sizeof(Guard) == 8);

void finish(Guard& guard, std::uint32_t state) {
  if (guard.state.exchange(state, std::memory_order_release) == awaited)
    kernel::futex_wake(guard.state, 0x7fffffff, Sharing::private_to_process);
}

} // namespace

extern "C" {

int __cxa_guard_acquire(Guard* guard) {
  for (std::uint32_t state = fresh;; state = guard->state.load(std::memory_order_acquire)) {
    if (state == done) return 0;
    if (state == fresh) {
      if (guard->state.compare_exchange_strong(state, running, std::memory_order_acquire)) return 1;
    } else if (state == awaited || guard->state.compare_exchange_strong(state, awaited, std::memory_order_acquire)) {
      kernel::futex_wait(guard->state, awaited, Deadline{}, Sharing::private_to_process);
    }
  }
}

void __cxa_guard_release(Guard* guard) {
  guard->initialised.store(1, std::memory_order_release);
  finish(*guard, done);
}

void __cxa_guard_abort(Guard* guard) { finish(*guard, fresh); }

} // extern "C"
} // namespace rt::start
