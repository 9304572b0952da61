#include <rt/sync/robust.hpp>

#include <rt/base/panic.hpp>

#include <arch/syscall.hpp>

namespace rt::robust {

// A C library has told the kernel of its own list. A list whose words lie elsewhere cannot be shared, and there can be
// one only. In a child that was cloned behind the C library's back the kernel knows of none yet.
void enter() {
  Thread& self = this_thread;
  self.id = static_cast<std::uint32_t>(arch::syscall(__NR_gettid));
  Head* found = nullptr;
  std::size_t size = 0;
  arch::syscall(__NR_get_robust_list, 0, reinterpret_cast<long>(&found), reinterpret_cast<long>(&size));
  if (found && found->offset != RobustWord::offset)
    panic("the C library's robust mutexes have another layout than glibc's: shared locks cannot be used beside them");
  if (!found) {
    found = self.head ? self.head : &self.own.head;
    found->first = static_cast<void**>(static_cast<void*>(found))[-1] = &found->first;
    found->offset = RobustWord::offset;
    found->pending = nullptr;
    arch::syscall(__NR_set_robust_list, reinterpret_cast<long>(found), sizeof *found);
  }
  self.head = found;
  self.process = kernel::process_identity();
}

} // namespace rt::robust
