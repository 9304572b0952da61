#include <rt/base/hook.hpp>
#include <rt/base/registry.hpp>

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_leave_registry() { rt::unregister_current_task(); }
RT_AT_THREAD_EXIT(90, rt_leave_registry);

namespace rt {

void unregister_at_thread_exit() {} // the hook does it for every thread

} // namespace rt
