#include <rt/kernel/environment.hpp>

#include <rt/base/hook.hpp>

#include <string_view>

namespace rt::kernel {

static constinit char** environment = nullptr;

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_keep_environment(const InitialStack& stack) {
  environment = stack.environment();
}
RT_AT_START(10, rt_keep_environment);

const char* environment_variable(const char* name) {
  const std::string_view wanted(name);
  for (char** entry = environment; entry && *entry; ++entry)
    if (const std::string_view text = *entry; text.starts_with(wanted) && text.substr(wanted.size()).starts_with('='))
      return *entry + wanted.size() + 1;
  return nullptr;
}

} // namespace rt::kernel
