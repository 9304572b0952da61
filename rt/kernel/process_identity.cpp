#include <rt/kernel/process_identity.hpp>

#include <rt/base/panic.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/page.hpp>

#include <arch/syscall.hpp>
#include <linux/mman.h>

namespace rt::kernel {
namespace {

// Threads may come here at the same time, and no lock may be held, as a fork would copy it: the first one wins.
Atomic<std::uint64_t>& page_of_identity() {
  Atomic<std::uint64_t>* found = identity_page.load(std::memory_order_acquire);
  if (found) return *found;
  constexpr int map_private = 2, map_anonymous = 0x20, wipe_on_fork = 18;
  const auto size = static_cast<long>(page_size());
  const long page = arch::syscall(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, map_private | map_anonymous, -1, 0);
  if (page < 0) panic("out of memory: there is no page for the identity of the process");
  arch::syscall(__NR_madvise, page, size, wipe_on_fork); // Linux 4.14
  auto* const made = reinterpret_cast<Atomic<std::uint64_t>*>(page);
  if (identity_page.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return *made;
  arch::syscall(__NR_munmap, page, size);
  return *found;
}

// Not a secret: a kernel that has no good random numbers yet, early after it has started, need not be waited for.
std::uint64_t draw() {
  constexpr int insecure = 4; // GRND_INSECURE, Linux 5.6
  std::uint64_t bits = 0;
  arch::syscall(__NR_getrandom, reinterpret_cast<long>(&bits), sizeof bits, insecure);
  if (bits != 0) return bits;
  const auto now = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
  return now << 22 | static_cast<std::uint64_t>(arch::syscall(__NR_getpid)) | 1;
}

} // namespace

std::uint64_t make_process_identity() {
  Atomic<std::uint64_t>& identity = page_of_identity();
  std::uint64_t found = 0;
  const std::uint64_t drawn = draw();
  return identity.compare_exchange_strong(found, drawn, std::memory_order_relaxed) ? drawn : found;
}

} // namespace rt::kernel
