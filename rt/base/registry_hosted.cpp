#include <rt/base/registry.hpp>

namespace rt {
namespace {

struct Registration {
  ~Registration() { unregister_current_task(); }
  void touch() {} // its first use registers the destructor
};
thread_local Registration registration;

} // namespace

void unregister_at_thread_exit() { registration.touch(); }

} // namespace rt
