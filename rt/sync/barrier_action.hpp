#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace rt {

template <class F>
concept BarrierCallable = requires(std::decay_t<F>& action) {
  action();
};

/// What is done at a Barrier when all have come: a callable that is kept inside the barrier, or nothing.
class BarrierAction {
 public:
  static constexpr std::size_t capacity = 48;

  constexpr BarrierAction() = default;
  constexpr ~BarrierAction() {
    if (destroy_) destroy_(object_);
  }
  BarrierAction(const BarrierAction&) = delete;
  BarrierAction& operator=(const BarrierAction&) = delete;

  /// Once.
  template <class F> void set(F&& function) {
    using Action = std::decay_t<F>;
    static_assert(sizeof(Action) <= capacity && alignof(Action) <= alignof(std::max_align_t),
                  "the action is kept inside the barrier: let it hold a reference to what is larger");
    ::new (object_) Action(std::forward<F>(function));
    run_ = [](void* object) { (void)(*static_cast<Action*>(object))(); };
    destroy_ = [](void* object) { static_cast<Action*>(object)->~Action(); };
  }

  explicit operator bool() const { return run_ != nullptr; }
  void operator()() {
    if (run_) run_(object_);
  }

 private:
  void (*run_)(void*) = nullptr;
  void (*destroy_)(void*) = nullptr;
  alignas(std::max_align_t) char object_[capacity] = {};
};

} // namespace rt
