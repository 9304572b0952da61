#include <rt/kernel/environment.hpp>

#include <rt/base/hook.hpp>

#include <string_view>

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

const char* kernel::environment_variable(const char* name) {
  const std::string_view wanted(name);
  for (const char* const* entry = current; entry && *entry; ++entry)
    if (const std::string_view text = *entry; text.starts_with(wanted) && text.substr(wanted.size()).starts_with('='))
      return *entry + wanted.size() + 1;
  return nullptr;
}

} // namespace rt
