#include <rt/kernel/environment.hpp>

#include <rt/base/hook.hpp>

namespace rt {
namespace {

constinit const char* const* current = nullptr;

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_find_environment(const InitialStack& stack) {
  current = stack.environment();
}
RT_AT_START(10, rt_find_environment);

const char* const* kernel::environment() { return current; }
void kernel::set_environment(const char* const* environment) { current = environment; }

} // namespace rt
