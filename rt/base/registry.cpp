#include <rt/base/registry.hpp>

#include <rt/base/futex_lock.hpp>
#include <rt/base/hook.hpp>

#include <mutex>

namespace rt {
namespace {

constinit FutexLock lock;
constinit Task* first = nullptr;

} // namespace

void register_current_task() {
  Task& task = current_task();
  if (task.registered) return;
  task.registered = true;
  unregister_at_thread_exit();
  const std::lock_guard guard(lock);
  task.next = first;
  if (first) first->previous = &task;
  first = &task;
}

void unregister_current_task() {
  Task& task = current_task_as_it_is();
  if (!task.registered) return;
  const std::lock_guard guard(lock);
  (task.previous ? task.previous->next : first) = task.next;
  if (task.next) task.next->previous = task.previous;
  task.next = task.previous = nullptr;
  task.registered = false;
}

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_registry() {
  lock.reset();
  if (first) first = nullptr;
  this_thread_task.registered = false;
}
RT_IN_FORKED(20, rt_fork_registry);

void visit_tasks(bool (*visit)(Task& task, void* argument), void* argument) {
  const std::lock_guard guard(lock);
  for (Task* task = first; task && visit(*task, argument);) task = task->next;
}

} // namespace rt
