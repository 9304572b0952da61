#include <rt/base/task.hpp>

#include <arch/syscall.hpp>

namespace rt {

thread_local constinit Task this_thread_task;

TaskName task_name(std::string_view text) {
  TaskName name = {};
  std::size_t length = text.size();
  if (length >= name.size()) {
    length = name.size() - 1;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  }
  for (std::size_t i = 0; i < length; ++i) name[i] = text[i];
  return name;
}

TaskId adopt_current_thread() {
  Task& task = this_thread_task;
  if (task.id == 0) {
    task.id = static_cast<TaskId>(arch::syscall(__NR_gettid));
    const bool is_main = arch::syscall(__NR_getpid) == static_cast<long>(task.id);
    task.name = task_name(is_main ? "main" : "adopted");
  }
  running_task = &task;
  return current_task_id = task.id;
}

} // namespace rt
