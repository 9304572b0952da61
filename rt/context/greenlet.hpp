#pragma once
// Greenlet: a flow of control that any other one can switch to by name (the greenlet package for Python).
//
//   rt::Greenlet* back;
//   rt::Greenlet a([&](void*) { rt::println("a"); back->switch_to(); });
//   back = &rt::Greenlet::current();
//   a.switch_to();                       // prints "a" and comes back
//
//   state          meaning                                     left by
//   new            the function has not been called            switch_to: to running.  kill: to dead
//   running        it is the task's current flow               switch_to another: to stopped.  its end: to dead
//   stopped        in a switch_to                              switch_to it: to running.  kill: to running, once more
//   dead           the function has returned or was killed     final; who switches to it reaches its parent
//
// The parent is the greenlet that made it, and gets control, and what the function returned, when it is dead. Every
// task (thread or fiber) has a root, which is what runs in the task by itself; greenlets of one task only switch among
// themselves.
//
// A greenlet that is killed while it is stopped goes on once more: its switch_to returns nullptr and killed() is true,
// so that the function can return and its local objects are destroyed. If it switches to another in place of that, it
// is left where it stands. (The greenlet package raises GreenletExit there; nothing throws here.)

#include <rt/base/task.hpp>
#include <rt/context/context.hpp>

#include <concepts>
#include <new>
#include <type_traits>
#include <utility>

namespace rt {

class Greenlet {
 public:
  /// A greenlet that will call function(value) with the value of the first switch, or function(). What it returns (a
  /// void*, else nullptr) goes to the parent, which is the calling greenlet. Panics when there is no memory for its
  /// stack.
  template <class F>
  requires(std::invocable<F&, void*> || std::invocable<F&>) explicit Greenlet(F function) : Greenlet() {
    void* const place = this->place(sizeof(F), alignof(F));
    ::new (place) F(std::move(function));
    destroy_ = [](void* object) { static_cast<F*>(object)->~F(); };
    begin(place, [](void* object, void* value) -> void* {
      auto call = [&](F& f) -> decltype(auto) {
        if constexpr (std::invocable<F&, void*>)
          return f(value);
        else
          return f();
      };
      if constexpr (std::is_convertible_v<decltype(call(std::declval<F&>())), void*>) {
        return call(*static_cast<F*>(object));
      } else {
        call(*static_cast<F*>(object));
        return nullptr;
      }
    });
  }

  Greenlet(const Greenlet&) = delete;
  Greenlet& operator=(const Greenlet&) = delete;

  /// Kills it, if it is not dead. Its children are its parent's from then on.
  ~Greenlet();

  /// Stops the calling greenlet and lets this one go on: its own call of switch_to returns the value. Returns what the
  /// next switch to the calling greenlet brings, or at the end of a child what that returned; nullptr if it is killed.
  /// In place of a dead greenlet the next living parent goes on. Panics for a greenlet of another task.
  [[gnu::always_inline]] void* switch_to(void* value = nullptr) {
    // Inline down to the switch itself: to return from a function that another flow has called costs the processor a
    // wrong prediction.
    Greenlet& from = *root_of_task().current;
    Greenlet* target = this;
    if (from.killed_ || root_ != from.root_ || state_ != stopped_) [[unlikely]] {
      target = living_target(from);
      if (target == &from) return value;
    }
    return target->switch_from(from, value);
  }

  bool dead() const { return state_ == dead_; }

  /// Who goes on when this one is dead; nullptr for a root.
  Greenlet* parent() const { return parent_; }

  /// The calling task's running greenlet.
  static Greenlet& current();

  /// Ends it, as told above; afterwards it is dead and the calling greenlet goes on. A greenlet that kills itself is
  /// left where it stands, and its parent goes on. Panics for a root.
  void kill();

  /// It is being killed: the function is to return.
  bool killed() const { return killed_; }

 private:
  enum State : unsigned char { new_, running_, stopped_, dead_ };
  struct Root;
  struct Current {
    Greenlet* current;
  };

  Greenlet();
  explicit Greenlet(Current& root) : root_(&root), state_(running_) {}

  void* place(std::size_t size, std::size_t alignment) const;
  void begin(void* function, void* (*run)(void* function, void* value));
  void adopt(Greenlet& child);
  void drop(Greenlet& child);
  [[gnu::always_inline]] void* switch_from(Greenlet& from, void* value) {
    from.state_ = stopped_;
    state_ = running_;
    root_->current = this;
    return from.context_.switch_to(context_, value);
  }
  Greenlet* living_target(Greenlet& from);
  [[noreturn]] void end(void* value);
  static void enter(void* value, arch::Context& context);

  static Current& root_of_task() {
    Task& task = current_task();
    return task.greenlets ? *static_cast<Current*>(task.greenlets) : make_root(task);
  }
  static Current& make_root(Task& task);
  [[noreturn]] static void panic_other_task();

  Context context_;
  Current* root_;
  memory::Stack* stack_ = nullptr;
  void* function_ = nullptr;
  void* (*run_)(void* function, void* value) = nullptr;
  void (*destroy_)(void* function) = nullptr;
  Greenlet* parent_ = nullptr;
  Greenlet* first_child_ = nullptr;
  Greenlet* next_sibling_ = nullptr;
  State state_ = new_;
  bool killed_ = false;
};

} // namespace rt
