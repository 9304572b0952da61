#include <rt/start/exit.hpp>

#include <arch/syscall.hpp>
#include <cstdint>

namespace rt {
namespace {

using Hook = void (*)();
using Destructor = Hook;

extern "C" {
[[gnu::visibility("hidden")]] extern const std::int32_t rt_exit_hooks[], rt_exit_hooks_end[];
[[gnu::visibility("hidden")]] extern const std::int32_t rt_thread_start_hooks[], rt_thread_start_hooks_end[];
[[gnu::visibility("hidden")]] extern const std::int32_t rt_thread_exit_hooks[], rt_thread_exit_hooks_end[];
[[gnu::visibility("hidden")]] extern const Destructor rt_destructors[], rt_destructors_end[];
}

void run(const std::int32_t* hook, const std::int32_t* end) {
  for (; hook != end; ++hook) reinterpret_cast<Hook>(reinterpret_cast<std::uintptr_t>(hook) + *hook)();
}

} // namespace

void start::run_thread_start_hooks() { run(rt_thread_start_hooks, rt_thread_start_hooks_end); }
void start::run_thread_exit_hooks() { run(rt_thread_exit_hooks, rt_thread_exit_hooks_end); }

void exit_now(int status) {
  for (;;) arch::syscall(__NR_exit_group, status);
}

void exit(int status) {
  run(rt_exit_hooks, rt_exit_hooks_end);
  for (auto* destructor = rt_destructors_end; destructor != rt_destructors;) (*--destructor)();
  exit_now(status);
}

} // namespace rt
