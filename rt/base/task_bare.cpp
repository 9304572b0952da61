#include <rt/base/task.hpp>

namespace rt {

// The only thread that the runtime did not start is the main one, whose task lives as long as the process.
void unregister_at_thread_exit() {}

} // namespace rt
