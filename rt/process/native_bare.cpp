#include <rt/process/native.hpp>

#include <rt/start/exit.hpp>

#include <cstdint>

namespace rt::processing {
namespace {

// As RT_AT_FORK makes it; the linker gathers them, and keeps them only because of these two names.
struct Entry {
  std::int32_t number;
  std::int32_t distance; // from itself to the function

  void run(ForkPhase phase) const {
    reinterpret_cast<void (*)(ForkPhase)>(reinterpret_cast<std::uintptr_t>(&distance) + distance)(phase);
  }
};
extern "C" [[gnu::visibility("hidden")]] const Entry __start_rt_fork[], __stop_rt_fork[];

} // namespace

Result<kernel::DescribedProcess> native_fork(unsigned long flags) { return kernel::fork_with_descriptor(flags); }

void run_fork_hooks(ForkPhase phase) {
  constexpr std::int32_t last = 100;
  for (std::int32_t number = -1, next; number != last; number = next) {
    next = last;
    for (const Entry* entry = __start_rt_fork; entry != __stop_rt_fork; ++entry) {
      if (entry->number == number) entry->run(phase);
      if (entry->number > number && entry->number < next) next = entry->number;
    }
  }
}

void native_exit(int code) { exit(code); }

} // namespace rt::processing
