#pragma once
// What AddressSanitizer, ThreadSanitizer and valgrind are told of stacks and switches, in the hosted profile. In the
// bare one all of this is empty.
//
// AddressSanitizer keeps the bounds of the current stack and, for use-after-return, a fake stack of each flow;
// ThreadSanitizer keeps the stack of calls and the clocks of each flow; valgrind takes a large change of the stack
// pointer for a large frame unless it knows both stacks.

#include <cstddef>

#if RT_HOSTED && __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define RT_VALGRIND 1
#endif

#if defined(__SANITIZE_ADDRESS__)
#define RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_TSAN 1
#endif
#endif

#if RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rt::sanitizer {

/// The stack holds no frame any more.
inline void forget_stack([[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t size) {
#if RT_ASAN
  __asan_unpoison_memory_region(begin, size);
#endif
}

/// What the sanitizers know of one flow. Must be told of every switch: leave() on the stack that is left, right before
/// the switch, arrive() on the one that goes on, right after it.
class Flow {
 public:
  /// A flow that begins on the stack.
  [[gnu::always_inline]] void begin([[maybe_unused]] const void* stack, [[maybe_unused]] std::size_t size) {
#if RT_ASAN
    stack_ = stack;
    size_ = size;
    fake_stack_ = nullptr;
#endif
#if RT_TSAN
    fiber_ = left_ = __tsan_create_fiber(0);
#endif
#if RT_VALGRIND
    valgrind_id_ = VALGRIND_STACK_REGISTER(stack, static_cast<const char*>(stack) + size);
#endif
  }

  /// The flow is over, or will never go on. Not to be called by itself.
  [[gnu::always_inline]] void end() {
#if RT_TSAN
    if (fiber_) __tsan_destroy_fiber(fiber_);
    fiber_ = nullptr;
#endif
#if RT_VALGRIND
    VALGRIND_STACK_DEREGISTER(valgrind_id_);
#endif
  }

  /// The calling flow, *this, is about to stop in favour of `next`; for_ever: it does not go on.
  [[gnu::always_inline]] void leave([[maybe_unused]] Flow& next, [[maybe_unused]] bool for_ever = false) {
#if RT_ASAN
    next.previous_ = this;
    __sanitizer_start_switch_fiber(for_ever ? nullptr : &fake_stack_, next.stack_, next.size_);
#endif
#if RT_TSAN
    left_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(next.left_, 0);
#endif
  }

  /// The calling flow, *this, goes on.
  [[gnu::always_inline]] void arrive() {
#if RT_ASAN
    // A thread's own flow learns the bounds of its stack when it is left for the first time.
    __sanitizer_finish_switch_fiber(fake_stack_, &previous_->stack_, &previous_->size_);
#endif
  }

 private:
#if RT_ASAN
  const void* stack_ = nullptr;
  std::size_t size_ = 0;
  void* fake_stack_ = nullptr;
  Flow* previous_ = nullptr;
#endif
#if RT_TSAN
  void* fiber_ = nullptr; // made by begin()
  void* left_ = nullptr;  // where it stopped: a fiber that blocks in a generator is left on the generator's stack
#endif
#if RT_VALGRIND
  unsigned valgrind_id_ = 0;
#endif
};

} // namespace rt::sanitizer
