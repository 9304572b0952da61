#include <rt/base/task.hpp>

#include <rt/base/futex_lock.hpp>

#include <mutex>

namespace rt {

thread_local constinit Task this_thread_task;

namespace {

constinit FutexLock registry_lock;
constinit Task* registry = nullptr;

} // namespace

void set_task_name(Task& task, std::string_view name) {
  std::size_t length = name.size();
  if (length > Task::name_capacity - 1) {
    length = Task::name_capacity - 1;
    while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xc0) == 0x80) --length;
  }
  for (std::size_t i = 0; i < length; ++i) task.name[i] = name[i];
  task.name[length] = 0;
}

TaskId adopt_current_thread() {
  Task& task = this_thread_task;
  if (task.id == 0) {
    task.id = static_cast<TaskId>(arch::syscall(__NR_gettid));
    const bool is_main = arch::syscall(__NR_getpid) == static_cast<long>(task.id);
    set_task_name(task, is_main ? "main" : "adopted");
    register_task(task);
    unregister_at_thread_exit();
  }
  return current_task_id = task.id;
}

void register_task(Task& task) {
  const std::lock_guard guard(registry_lock);
  task.next = registry;
  if (registry) registry->previous = &task;
  registry = &task;
}

void unregister_task(Task& task) {
  const std::lock_guard guard(registry_lock);
  (task.previous ? task.previous->next : registry) = task.next;
  if (task.next) task.next->previous = task.previous;
  task.next = task.previous = nullptr;
}

void visit_tasks(bool (*visit)(Task& task, void* argument), void* argument) {
  const std::lock_guard guard(registry_lock);
  for (Task* task = registry; task && visit(*task, argument);) task = task->next;
}

} // namespace rt
