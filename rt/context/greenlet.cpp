#include <rt/context/greenlet.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/memory/heap.hpp>

#include <cstdint>

namespace rt {

// What a task has once it has asked for its current greenlet, until it ends.
struct Greenlet::Root : Current {
  Root() : Current{&greenlet} {}
  Greenlet greenlet{*this};
};

Greenlet::Current& Greenlet::make_root(Task& task) {
  void* const memory = heap::allocate(sizeof(Root));
  if (!memory) panic("out of memory: a task's first greenlet could not be made");
  auto* root = ::new (memory) Root;
  task.greenlets = static_cast<Current*>(root);
  task.end_greenlets = [](Task& ending) {
    auto* last = static_cast<Root*>(static_cast<Current*>(ending.greenlets));
    last->~Root();
    heap::deallocate(last);
    ending.greenlets = nullptr;
  };
  return *root;
}

Greenlet& Greenlet::current() { return *root_of_task().current; }

Greenlet::Greenlet() : root_(&root_of_task()) {
  stack_ = memory::take_stack().value();
  root_->current->adopt(*this);
}

void* Greenlet::place(std::size_t size, std::size_t alignment) const {
  return reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(stack_->top) - size) & -std::uintptr_t{alignment});
}

void Greenlet::begin(void* function, void* (*run)(void*, void*)) {
  function_ = function;
  run_ = run;
  context_.begin(*stack_, reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(function) & -std::uintptr_t{16}),
                 enter);
}

Greenlet::~Greenlet() {
  if (stack_) {
    if (state_ == running_) panic("a greenlet is destroyed by its own function");
    kill();
  }
  while (Greenlet* child = first_child_) {
    if (!parent_) child->kill(); // the task ends
    drop(*child);
    if (parent_) parent_->adopt(*child);
  }
  if (parent_) parent_->drop(*this);
  if (!stack_) return;
  destroy_(function_);
  context_.end();
  memory::give_stack(stack_);
}

void Greenlet::adopt(Greenlet& child) {
  child.parent_ = this;
  child.next_sibling_ = first_child_;
  first_child_ = &child;
}

void Greenlet::drop(Greenlet& child) {
  Greenlet** link = &first_child_;
  while (*link != &child) link = &(*link)->next_sibling_;
  *link = child.next_sibling_;
  child.parent_ = nullptr;
}

void Greenlet::panic_other_task() {
  panic("switch to a greenlet of another task: it has to be made where it is to run");
}

// Who is reached by a switch to *this.
Greenlet* Greenlet::living_target(Greenlet& from) {
  if (from.killed_) from.end(nullptr); // before a look at *this: others may be gone already
  if (root_ != from.root_) panic_other_task();
  Greenlet* target = this;
  while (target->state_ == dead_) target = target->parent_;
  return target;
}

void Greenlet::enter(void* value, arch::Context&) {
  Greenlet& self = current();
  self.context_.arrive();
  self.end(self.run_(self.function_, value));
}

void Greenlet::end(void* value) {
  state_ = dead_;
  Greenlet* next = parent_;
  while (next->state_ == dead_) next = next->parent_;
  next->state_ = running_;
  root_->current = next;
  context_.switch_for_ever_to(next->context_, value);
}

void Greenlet::kill() {
  if (state_ == dead_) return;
  if (!stack_) panic("a task's root greenlet is killed: the task itself would have to end");
  if (root_ != &root_of_task()) panic_other_task();
  Greenlet& from = *root_->current;
  killed_ = true;
  if (&from == this) end(nullptr);
  if (state_ == stopped_) {
    parent_->drop(*this);
    from.adopt(*this);
    switch_from(from, nullptr);
  }
  state_ = dead_;
}

// Of the thread that ends.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_end_greenlets() {
  if (Task& task = current_task(); task.end_greenlets) task.end_greenlets(task);
}
RT_AT_THREAD_EXIT(20, rt_end_greenlets);

} // namespace rt
