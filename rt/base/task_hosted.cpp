#include <rt/base/task.hpp>

namespace rt {
namespace {

struct Registration {
  ~Registration() {
    unregister_task(this_thread_task);
    this_thread_task.id = current_task_id = 0;
  }
  void touch() {}
};
thread_local Registration registration;

} // namespace

void unregister_at_thread_exit() { registration.touch(); }

} // namespace rt
