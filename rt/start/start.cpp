// From the kernel's entry to main, and on to exit.
//
//   _start (arch/<cpu>/start.S)
//     relocate        add the image's address to the few pointers in initialised data, then make them read-only
//     thread pointer  a TLS block on the initial stack, with the stack canary from AT_RANDOM
//     start hooks     what linked features of the runtime asked for (clock, crash reports, ...)
//     constructors    .preinit_array, .init_array
//     main            its value goes to exit()

#include <rt/base/hook.hpp>
#include <rt/start/exit.hpp>
#include <rt/start/relocate.hpp>
#include <rt/start/tls.hpp>

#include <linux/auxvec.h>

int main(int argc, char** argv, char** environment);

namespace rt::start {
namespace {

using Constructor = void (*)(int, char**, char**);
using Hook = void (*)(const InitialStack&);

extern "C" {
[[gnu::visibility("hidden")]] extern const std::int32_t rt_start_hooks[], rt_start_hooks_end[];
[[gnu::visibility("hidden")]] extern const Constructor rt_constructors[], rt_constructors_end[];
}

// 16 random bytes from the kernel; the lowest byte in memory becomes zero so that an overrun by a string copy stops.
[[gnu::always_inline]] inline std::uintptr_t canary_from(const InitialStack& stack) {
  auto* entry = stack.auxiliary_vector();
  while (entry[0] != AT_RANDOM) entry += 2; // every kernel since 2.6.29 has it
  return *reinterpret_cast<const std::uintptr_t*>(entry[1]) & ~std::uintptr_t{0xff};
}

// Bytes of the stack below main's thread-local block that lie in the same page of 4 KiB. A program whose main starts a
// process writes to both, and each page that is written to after the start has to be copied.
constexpr std::size_t frames_of_main = 2048;

} // namespace

// No stack protector: the canary's place does not exist when this function is entered.
extern "C" [[noreturn, gnu::used, gnu::noinline]] __attribute__((no_stack_protector)) void
rt_start(const InitialStack& stack) {
  relocate(stack);
  const std::size_t size = tls_block_size(), room = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) % 4096;
  void* const block = __builtin_alloca(room < size + frames_of_main ? size + room : size);
  arch::set_thread_pointer(make_tls_block(block, canary_from(stack)));
  for (auto* hook = rt_start_hooks; hook != rt_start_hooks_end; ++hook)
    reinterpret_cast<Hook>(reinterpret_cast<std::uintptr_t>(hook) + *hook)(stack);
  const int argc = static_cast<int>(stack.argc);
  char** const argv = const_cast<char**>(stack.argv);
  for (auto* constructor = rt_constructors; constructor != rt_constructors_end; ++constructor)
    (*constructor)(argc, argv, stack.environment());
  exit(::main(argc, argv, stack.environment()));
}

} // namespace rt::start
