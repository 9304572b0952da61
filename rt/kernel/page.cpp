#include <rt/kernel/page.hpp>

#include <rt/base/hook.hpp>

#include <arch/cpu.hpp>
#include <linux/auxvec.h>

namespace rt {
namespace {

constinit std::size_t size = arch::min_page_size;

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_find_page_size(const InitialStack& stack) {
  for (auto* entry = stack.auxiliary_vector(); entry[0] != AT_NULL; entry += 2)
    if (entry[0] == AT_PAGESZ) size = entry[1];
}
RT_AT_START(10, rt_find_page_size);

std::size_t kernel::page_size() { return size; }

} // namespace rt
