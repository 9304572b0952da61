// The stack canary for code whose compiler reads it from a variable rather than from the control block (arch/<cpu>/
// flags.mk). Linked only where such code is; before its own hook runs, nothing that is protected does.

#include <rt/base/hook.hpp>

#include <arch/tls.hpp>

extern "C" {

[[gnu::visibility("hidden")]] std::uintptr_t __stack_chk_guard = 0;

[[gnu::used, gnu::visibility("hidden")]] void rt_share_canary(const rt::InitialStack&) {
  __stack_chk_guard = rt::arch::canary();
}

} // extern "C"

RT_AT_START(00, rt_share_canary);
